import { keepVoteLink } from './vote_link.js';

const link = new URLSearchParams(location.search).get('t');
if (link !== null) keepVoteLink(link);
