import { Global, Module } from '@nestjs/common';
import { Assets } from './assets.js';
import { AssetsController } from './assets.controller.js';
import { Documents } from './documents.js';
import { SignInLink } from './sign-in-link.js';

/** Renders the pages of all rooms in one look, and serves the files that they load. */
@Global()
@Module({
  controllers: [AssetsController],
  providers: [Assets, Documents, SignInLink],
  exports: [Assets, Documents, SignInLink],
})
export class HtmlModule {}
