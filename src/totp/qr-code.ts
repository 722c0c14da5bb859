import { renderSVG } from 'uqr';

/** Returns the QR code of an enrolment's address, as an SVG image without styles. */
export const qrCodeOf = (uri: string): string => renderSVG(uri, { ecc: 'M', border: 4 });
