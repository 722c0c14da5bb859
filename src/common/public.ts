import { type ExecutionContext, SetMetadata } from '@nestjs/common';

/** The key of the metadata that {@link Public} sets. */
export const PUBLIC = 'latchkey:public';

/**
 * Says of a method, or of all methods of a controller, that anybody may call it without a token:
 * `guardByDefault` lets such requests through, and the tests accept the open route. It opens no guard
 * that stands on the method or its controller.
 */
export const Public = (): ClassDecorator & MethodDecorator => SetMetadata(PUBLIC, true);

/** Whether `@Public()` stands on the method that is called, or on its controller. */
export const isPublic = (context: ExecutionContext): boolean =>
  [context.getHandler(), context.getClass()].some(
    (target) => Reflect.getMetadata(PUBLIC, target) === true,
  );
