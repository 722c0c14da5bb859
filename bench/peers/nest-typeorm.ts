/**
 * Nest on Fastify with TypeORM and one table in SQLite: the least that a Nest server with users starts with.
 *
 * Duties: it connects, makes the table, and answers one route. Omissions: all others.
 */
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
class User {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ unique: true })
  username!: string;

  @Column()
  password!: string;
}

@Controller()
class HealthController {
  @Get('health/live')
  live() {
    return { status: 'ok' };
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'sqlite',
      database: `${process.env.DATA_DIR ?? '.'}/db.sqlite`,
      entities: [User],
      synchronize: true,
    }),
  ],
  controllers: [HealthController],
})
class AppModule {}

const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
await app.listen(Number(process.env.PORT), process.env.HOST ?? '127.0.0.1');
