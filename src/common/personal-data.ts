import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** The data that a room stores about users. */
export interface PersonalDataPart {
  /** Returns the rows about a user for the user's export, without secrets. */
  export?: (manager: EntityManager, userId: string) => Promise<unknown>;
  /**
   * Removes the traces of a user that outlive the user's row, in the transaction of `manager` that deletes it.
   * Rows with a foreign key to the user need none.
   */
  erase?: (manager: EntityManager, userId: string) => Promise<void>;
}

/** The registry of personal data (GDPR, articles 15, 17 and 20). Each room adds its part. */
@Injectable()
export class PersonalData {
  private readonly parts = new Map<string, PersonalDataPart>();

  /** Adds a part; `name` is its key in the export. */
  add(name: string, part: PersonalDataPart): void {
    this.parts.set(name, part);
  }

  /** Returns the rows about a user of every room, by the names of the parts. */
  async export(manager: EntityManager, userId: string): Promise<Record<string, unknown>> {
    const document: Record<string, unknown> = {};
    for (const [name, part] of this.parts) {
      if (part.export) document[name] = await part.export(manager, userId);
    }
    return document;
  }

  /** Removes the traces of a user that outlive the user's row. */
  async erase(manager: EntityManager, userId: string): Promise<void> {
    for (const { erase } of this.parts.values()) await erase?.(manager, userId);
  }
}
