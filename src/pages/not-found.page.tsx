import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { Documents } from '../html/documents.js';
import { HTML_TEXTS } from '../html/html.texts.js';
import { languageOf } from '../html/language.js';

/** The types of the answer. A client that takes any gets the first one. */
const TYPES = ['application/json', 'text/html'];

/** Shows a page to browsers that ask for an address without one. Other clients get the error as JSON. */
@Injectable()
export class NotFoundPage implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly documents: Documents,
  ) {}

  onModuleInit(): void {
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    fastify.notFoundPage = (request, reply) => this.render(request, reply);
  }

  private render({ headers }: FastifyRequest, reply: FastifyReply): string | undefined {
    const accept = headers.accept?.slice(0, 1_000);
    if (new Negotiator({ headers: { accept } }).mediaType(TYPES) !== 'text/html') return undefined;
    const language = languageOf(headers['accept-language']);
    const texts = HTML_TEXTS[language];
    const page = this.documents.render(
      reply,
      { language, title: texts.notFoundTitle },
      <>
        <p>{texts.notFound}</p>
        <a class="button" href="/">
          {texts.home}
        </a>
      </>,
    );
    void reply.header('vary', 'Accept, Accept-Language');
    return page;
  }
}
