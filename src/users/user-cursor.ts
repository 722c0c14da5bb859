import { z } from 'zod';
import { ApiError } from '../common/api-error.js';

/** A place in an order of users: after the one with this key, or made at this time with this id. */
export type Position = KeyPosition | TimePosition;
export type KeyPosition = ['name' | 'address', key: string];
export type TimePosition = ['time', createdAt: number, id: string];

const text = z
  .string()
  .max(512)
  .refine((value) => value.isWellFormed() && !value.includes('\0'));

const positionSchema = z.union([
  z.tuple([z.enum(['name', 'address']), text]),
  z.tuple([z.literal('time'), z.int(), text]),
]);

/** A position as an opaque text. */
export function writeCursor(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/**
 * The position of a cursor. One that was made up names another place and shows nothing that the same
 * request without it would not, so it need not be signed.
 *
 * @throws ApiError invalid_parameter for what is no cursor
 */
export function readCursor(cursor: string): Position {
  try {
    return positionSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch (cause) {
    throw badCursor(cause);
  }
}

export const badCursor = (cause?: unknown) =>
  new ApiError('invalid_parameter', { msg: 'The cursor is not one of this list', cause });
