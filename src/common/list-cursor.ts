import { z } from 'zod';
import { ApiError } from './api-error.js';

/** A place in the order of a list: after the row with this key, or after this time and id. */
export type ListPosition = KeyPosition | TimePosition;
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

/** Returns the position of a row in a list that is ordered by time. */
export const timePositionOf = ({
  createdAt,
  id,
}: {
  createdAt: Date;
  id: string;
}): TimePosition => ['time', createdAt.getTime(), id];

/** Returns a position as an opaque text. */
export function writeCursor(position: ListPosition): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/**
 * Returns the position of a cursor. It needs no signature: a forged one only names another place, and shows
 * no more than the same request without it.
 *
 * @throws ApiError invalid_parameter if it is no cursor
 */
export function readCursor(cursor: string): ListPosition {
  try {
    return positionSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch (cause) {
    throw badCursor(cause);
  }
}

/** Like {@link readCursor}, for a list that is ordered by time. */
export function readTimeCursor(cursor: string): TimePosition {
  const position = readCursor(cursor);
  if (position[0] !== 'time') throw badCursor();
  return position;
}

/** Returns the error for a cursor of another list. */
export const badCursor = (cause?: unknown) =>
  new ApiError('invalid_parameter', { msg: 'The cursor is not one of this list', cause });
