import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { Config } from '../config/config.js';
import { AccessTokens } from './access-token.js';
import { JwksController } from './jwks.controller.js';
import { Keyring } from './keyring.js';

@Module({
  imports: [
    JwtModule.registerAsync({
      inject: [Config],
      // A KeyObject, because jsonwebtoken tries a string as a PEM first, which takes 350 µs a token.
      useFactory: ({ jwt: { signingKey } }: Config) =>
        signingKey.type === 'secret' ? { secret: signingKey } : { privateKey: signingKey },
    }),
  ],
  controllers: [JwksController],
  providers: [Keyring, AccessTokens],
  exports: [Keyring, AccessTokens],
})
export class KeysModule {}
