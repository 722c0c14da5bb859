import { Entity, PrimaryColumn } from 'typeorm';

/** A cost of bcrypt that stored hashes may have. */
@Entity('password_costs')
export class PasswordCost {
  @PrimaryColumn('integer')
  cost!: number;
}
