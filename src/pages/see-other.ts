import type { FastifyReply } from 'fastify';

/** Leads the browser to a path of this server after a form (RFC 9110, section 15.4.4). Returns the empty body. */
export function seeOther(reply: FastifyReply, path: string): string {
  void reply.status(303).header('location', path);
  return '';
}
