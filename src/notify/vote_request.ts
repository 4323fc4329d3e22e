import type { Storage } from '../storage/storage.ts';
import type { NoticeRow } from '../storage/tables/notices.ts';
import { type AskedVoter, findVote } from '../storage/tables/recovery_votes.ts';
import type { Language, Wording } from '../system/languages.ts';
import type { Vault } from '../vault/vault.ts';
import { foreign, type Message, serverOf } from './message.ts';

/** The notice that asks a voter. Its detail names the vote, so that the secret of its link stays sealed. */
export const ASK_VOTER = 'recovery_votes.asked';
/** The page behind its link. */
export const VOTE_PAGE = '/_2fa/recover/vote';

const WORDS = {
  subject: {
    en: 'Is it them? An account is to be recovered',
    de: 'Wer ist es? Ein Konto soll wiederhergestellt werden',
  },
  what: {
    en: 'Someone who knows the password of {user} asks to get back into that account without a second factor. {user} has named you to say whether it is them.',
    de: 'Jemand, der das Passwort von {user} kennt, will ohne zweiten Faktor wieder in das Konto. {user} hat dich benannt: Du sollst sagen, ob sie oder er es ist.',
  },
  reach: {
    en: 'Reach them by another way than Matrix, by telephone or in person, before you answer. A thief of the account can write to you in it.',
    de: 'Sprich mit der Person auf anderem Weg als über Matrix, am Telefon oder persönlich, bevor du antwortest. Wer das Konto übernommen hat, kann dir darin schreiben.',
  },
  link: {
    en: 'Answer here, signed in with your own second factor:',
    de: 'Antworte hier, mit deinem eigenen zweiten Faktor angemeldet:',
  },
} as const satisfies Record<string, Wording>;

export interface VoteRequestDeps {
  readonly storage: Pick<Storage, 'read'>;
  readonly vault: Pick<Vault, 'open'>;
  readonly languageOf: (userId: string) => Promise<Language>;
  readonly publicBaseUrl: string;
}

/** Makes the message that asks a voter. */
export class VoteRequest {
  constructor(private readonly deps: VoteRequestDeps) {}

  /** Undefined where there is nothing to answer any more. @throws SealBroken */
  async messageOf({ userId, detail }: NoticeRow): Promise<Message | undefined> {
    const { storage, vault, languageOf, publicBaseUrl } = this.deps;
    const { vote: id = '' }: { vote?: string } = JSON.parse(detail);
    const [vote] = await storage.read(findVote(id));
    const isOpen = vote?.state === 'waiting' || vote?.state === 'open';
    if (vote === undefined || vote.vote !== null || !isOpen) return undefined;
    const language = await languageOf(userId);
    const { subject, what, reach, link } = WORDS;
    const token = vault.open(vote.sealedLink, voteIdentity(vote)).toString('utf8');
    const paragraphs = [
      what[language].replaceAll('{user}', () => foreign(vote.userId)),
      reach[language],
      `${link[language]}\n${publicBaseUrl}${VOTE_PAGE}?t=${token}`,
    ];
    return {
      subject: `[${serverOf(userId)}] ${subject[language]}`,
      text: `${paragraphs.join('\n\n')}\n`,
    };
  }
}

export function voteIdentity({ id, userId }: Pick<AskedVoter, 'id' | 'userId'>): string {
  return `recovery-vote:${id}:${userId}`;
}
