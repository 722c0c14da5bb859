/** The library that makes the OpenAPI document. */
type Swagger = typeof import('@nestjs/swagger');

/** The calls of the decorators below since the last {@link describeRoutes}. */
let noted: ((swagger: Swagger) => void)[] = [];

/**
 * Returns a decorator of `@nestjs/swagger`, by its name, that takes effect when the document is made. The
 * library has a quarter of all files that a start would read, and most servers never serve the document.
 */
function deferred<Name extends keyof Swagger>(name: Name) {
  type Decorator = Swagger[Name] extends (...options: never[]) => unknown ? Swagger[Name] : never;
  return (...options: Parameters<Decorator>): ClassDecorator & MethodDecorator =>
    (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
      noted.push((swagger) => {
        const make = swagger[name] as (...options: unknown[]) => (...place: unknown[]) => void;
        make(...options)(target, key, descriptor);
      });
    };
}

/** Applies the decorators to their controllers, just before the document is made. */
export function describeRoutes(swagger: Swagger): void {
  const all = noted;
  noted = [];
  for (const apply of all) apply(swagger);
}

export const ApiBearerAuth = deferred('ApiBearerAuth');
export const ApiExcludeController = deferred('ApiExcludeController');
export const ApiForbiddenResponse = deferred('ApiForbiddenResponse');
export const ApiOkResponse = deferred('ApiOkResponse');
export const ApiOperation = deferred('ApiOperation');
export const ApiProduces = deferred('ApiProduces');
export const ApiResponse = deferred('ApiResponse');
export const ApiServiceUnavailableResponse = deferred('ApiServiceUnavailableResponse');
export const ApiTags = deferred('ApiTags');
export const ApiTooManyRequestsResponse = deferred('ApiTooManyRequestsResponse');
export const ApiUnauthorizedResponse = deferred('ApiUnauthorizedResponse');
