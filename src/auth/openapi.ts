import type { DocumentBuilder } from '@nestjs/swagger';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { ApiResponse } from '../common/api-decorators.js';
import type { Config } from '../config/config.js';

/**
 * Describes a refusal of a route in the OpenAPI document.
 *
 * @param standardSchema the body of a refusal that has more than `msg` and `code`
 */
export const refuses = (status: number, description: string, standardSchema?: StandardSchemaV1) =>
  ApiResponse({ status, description, ...(standardSchema && { standardSchema }) });

/** Describes the refusal of a route that hashes a password, if too many passwords wait. */
export const refusesOverload = () =>
  refuses(503, 'The server is hashing too many passwords; see Retry-After');

/**
 * Returns how clients send an access token, by the settings. OpenAPI knows the scheme `Bearer` in the header
 * `Authorization`. For any other scheme it can only name the header.
 */
export function tokenScheme({
  headerName,
  headerType,
}: Config['jwt']): Parameters<DocumentBuilder['addSecurity']>[1] {
  if (/^authorization$/i.test(headerName) && /^bearer$/i.test(headerType)) {
    return { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' };
  }
  const value = headerType === '' ? 'The access token' : `\`${headerType} \` and the access token`;
  return { type: 'apiKey', in: 'header', name: headerName, description: value };
}
