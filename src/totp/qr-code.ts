import { lazyPackage } from '../common/lazy-package.js';

const uqr = lazyPackage('uqr') as () => typeof import('uqr');

/** Returns the QR code of an enrolment's address, as an SVG image without styles. */
export const qrCodeOf = (uri: string): string => uqr().renderSVG(uri, { ecc: 'M', border: 4 });
