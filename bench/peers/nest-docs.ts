/**
 * The NestJS documentation's authentication chapter and passport recipe, as a reader would build them:
 * Express, passport-jwt with a secret that is a string, users in SQLite by TypeORM, `bcrypt.compare`.
 * Paths, names and bodies are Latchkey's, so that both are sent and send the same.
 */
import 'reflect-metadata';
import {
  Body,
  Controller,
  Get,
  HttpCode,
  Injectable,
  Module,
  Post,
  Request,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtModule, JwtService } from '@nestjs/jwt';
import { AuthGuard, PassportModule, PassportStrategy } from '@nestjs/passport';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import bcrypt from 'bcrypt';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { Column, Entity, PrimaryGeneratedColumn, Repository } from 'typeorm';

const {
  SECRET = '',
  COST = '12',
  USERNAME = '',
  PASSWORD = '',
  PORT,
  HOST = '',
  DATA_DIR,
} = process.env;

@Entity()
class User {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ unique: true })
  username!: string;

  @Column()
  password!: string;
}

interface Payload {
  sub: string;
  username: string;
}

@Injectable()
class JwtStrategy extends PassportStrategy(Strategy) {
  constructor() {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      ignoreExpiration: false,
      secretOrKey: SECRET,
    });
  }

  validate(payload: Payload) {
    return { userId: payload.sub, username: payload.username };
  }
}

@Injectable()
class JwtAuthGuard extends AuthGuard('jwt') {}

@Injectable()
class UsersService {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  findOne(username: string): Promise<User | null> {
    return this.users.findOneBy({ username });
  }

  findById(id: string): Promise<User | null> {
    return this.users.findOneBy({ id });
  }

  async seed(username: string, password: string): Promise<void> {
    await this.users.save({ username, password: await bcrypt.hash(password, Number(COST)) });
  }
}

@Injectable()
class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly jwt: JwtService,
  ) {}

  async signIn(username: string, password: string): Promise<{ jwt: string }> {
    const user = await this.users.findOne(username);
    if (!user || !(await bcrypt.compare(password, user.password))) {
      throw new UnauthorizedException();
    }
    return { jwt: await this.jwt.signAsync({ sub: user.id, username: user.username }) };
  }
}

@Controller()
class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly users: UsersService,
  ) {}

  @HttpCode(200)
  @Post('login')
  signIn(@Body() body: { username: string; password: string }) {
    return this.auth.signIn(body.username, body.password);
  }

  @UseGuards(JwtAuthGuard)
  @Get('protected')
  hello(@Request() request: { user: { username: string } }) {
    return { hello_from: request.user.username };
  }

  @UseGuards(JwtAuthGuard)
  @Get('me')
  async me(@Request() request: { user: { userId: string } }) {
    const user = await this.users.findById(request.user.userId);
    return { id: user?.id, username: user?.username };
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'sqlite',
      database: `${DATA_DIR ?? '.'}/db.sqlite`,
      entities: [User],
      synchronize: true,
    }),
    TypeOrmModule.forFeature([User]),
    PassportModule,
    JwtModule.register({ secret: SECRET, signOptions: { expiresIn: '15m' } }),
  ],
  controllers: [AuthController],
  providers: [UsersService, AuthService, JwtStrategy],
})
class AppModule {}

const app = await NestFactory.create<NestExpressApplication>(AppModule, new ExpressAdapter(), {
  logger: false,
});
await app.get(UsersService).seed(USERNAME, PASSWORD);
await app.listen(Number(PORT), HOST);
