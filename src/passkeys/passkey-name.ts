import { describeDevice } from '../sessions/device.js';
import { prepareDisplayName } from '../users/display-name.js';

/** Returns the name of a passkey that its user gives no name: that of the device. */
export const defaultName = (userAgent: string): string =>
  // The sender of a User-Agent chooses its text, so it has to be a good name as well.
  prepareDisplayName(describeDevice(userAgent)) ?? describeDevice('');
