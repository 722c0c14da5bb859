const names = new Set<string>();

/** Notes the roles that a route asks for by name. */
export function noteGuardedRoles(roles: readonly string[]): void {
  for (const role of roles) names.add(role);
}

/** Whether a route of this program asks for `role` by name, so that the bare name opens something. */
export const isGuardedRole = (role: string): boolean => names.has(role);
