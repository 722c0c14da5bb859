import { Controller, Get, Header, Req } from '@nestjs/common';
import { ApiExcludeController } from '../common/api-decorators.js';
import { Eta } from 'eta';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../common/api-error.js';
import { isLoopback, isLoopbackHost } from '../common/network.js';
import { Public } from '../common/public.js';
import { Config } from '../config/config.js';
import { SENT_MAILS_PATH, SentMails } from './sent-mails.js';

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sent mails</title>
<h1>Sent mails</h1>
<p>The newest first, since this server started. Reload for newer ones. Only in development, without SMTP_URL.</p>
<% for (const { to, subject, when, parts } of it.mails) { %>
<article>
<h2><%= subject %></h2>
<p>To <%= to %>, <%= when %></p>
<pre><% for (const { text, link } of parts) { %><% if (link) { %><a href="<%= text %>"><%= text %></a><% } else { %><%= text %><% } %><% } %></pre>
</article>
<% } %>
<% if (it.mails.length === 0) { %><p>No mail was sent yet.</p><% } %>
</html>
`;

/** The page of sent mails, for a developer's browser on this machine. */
@ApiExcludeController()
@Public()
@Controller()
export class SentMailsController {
  private readonly eta = new Eta({ autoEscape: true, autoTrim: false });

  constructor(
    private readonly sent: SentMails,
    private readonly config: Config,
  ) {}

  /** @throws ApiError not_found to other machines */
  @Get(SENT_MAILS_PATH)
  @Header('content-type', 'text/html; charset=utf-8')
  show(@Req() request: FastifyRequest): string {
    if (!this.isFromHere(request)) throw new ApiError('not_found');
    return this.eta.renderString(PAGE, {
      mails: this.sent.recent.map(({ to, subject, text, writtenAt }) => ({
        to,
        subject,
        when: writtenAt.toISOString(),
        parts: partsOf(text),
      })),
    });
  }

  /**
   * Whether the request comes from a browser on this machine, by a name of this machine. Another name may lead here
   * by DNS rebinding, and a proxy passes on requests of others.
   */
  private isFromHere({ headers, socket }: FastifyRequest): boolean {
    const host = headers.host?.replace(/:\d+$/, '') ?? '';
    const isProxied = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some(
      (name) => headers[name] !== undefined,
    );
    const direct = this.config.trustProxy === false && !isProxied;
    return direct && isLoopbackHost(host) && isLoopback(socket.remoteAddress ?? '');
  }
}

/** Splits a text into links and the text between them. */
const partsOf = (text: string): { text: string; link: boolean }[] =>
  text.split(/(https?:\/\/\S+)/).map((part, index) => ({ text: part, link: index % 2 === 1 }));
