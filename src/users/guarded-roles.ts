const names = new Set<string>();

/** Records the roles that a route asks for by name. */
export function registerGuardedRoles(roles: readonly string[]): void {
  for (const role of roles) names.add(role);
}

/** Tells whether a route of this program asks for `role` by name, so that the name alone grants access. */
export const isGuardedRole = (role: string): boolean => names.has(role);
