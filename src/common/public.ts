import { type ExecutionContext, SetMetadata } from '@nestjs/common';

/** The key of the metadata that {@link Public} sets. */
export const PUBLIC = 'latchkey:public';

/**
 * Marks a method, or all methods of a controller, as open to requests without a token: `guardByDefault` lets
 * them through, and the tests accept the open route. It opens no guard that stands on the method or its
 * controller.
 */
export const Public = (): ClassDecorator & MethodDecorator => SetMetadata(PUBLIC, true);

/** Tells whether `@Public()` stands on the called method or its controller. */
export const isPublic = (context: ExecutionContext): boolean =>
  [context.getHandler(), context.getClass()].some(
    (target) => Reflect.getMetadata(PUBLIC, target) === true,
  );
