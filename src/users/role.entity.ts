import { Column, Entity, PrimaryColumn } from 'typeorm';
import { epochMillis } from '../database/time.js';

/** The permissions of a role. The role `admin` is built in and has no row. */
@Entity('roles')
export class Role {
  @PrimaryColumn('varchar', { length: 64 })
  name!: string;

  /** Such as `users:read`. `*` stands for every permission. */
  @Column('simple-json')
  permissions!: string[];

  @Column('bigint', { name: 'updated_at', transformer: epochMillis })
  updatedAt!: Date;
}
