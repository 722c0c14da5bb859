import { Global, Module } from '@nestjs/common';
import { Assets } from './assets.js';
import { AssetsController } from './assets.controller.js';
import { Documents } from './documents.js';
import { PageLinks } from './page-links.js';

/** Renders the pages of all rooms in one look, and serves the files that they load. */
@Global()
@Module({
  controllers: [AssetsController],
  providers: [Assets, Documents, PageLinks],
  exports: [Assets, Documents, PageLinks],
})
export class HtmlModule {}
