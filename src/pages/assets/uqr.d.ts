/** The library under the name that browsers load it by. */
export { encode } from 'uqr';
