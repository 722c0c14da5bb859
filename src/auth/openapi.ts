import { ApiResponse } from '@nestjs/swagger';
import { errorSchema } from './auth.schemas.js';

/** Describes a refusal of a route in the OpenAPI document. */
export const refuses = (status: number, description: string) =>
  ApiResponse({ status, description, standardSchema: errorSchema });
