import type { SynapseFile } from './synapse_file.ts';
import type { Web } from './web.ts';

/** What can be seen of an installation from elsewhere; with its configuration there is more to it. */
export interface PublicView {
  /** The origin that clients use. */
  readonly publicUrl: string;
  readonly web: Web;
  /** The name behind the colon of user ids, where the operator gave it. */
  readonly serverName: string | undefined;
  /** How long a connection must live with --slow, in seconds; undefined without it. */
  readonly slowSeconds: number | undefined;
  /** Certificates that are trusted besides those of Node, in PEM. */
  readonly furtherCertificates: string | undefined;
  readonly nowMs: () => number;
  /** What an installation knows besides. */
  readonly inside?: {
    readonly homeserverUrl: string;
    readonly synapseFile: SynapseFile | undefined;
    /** A nonce for a probe; undefined while none can be kept. */
    nonce(): Promise<string | undefined>;
    /** Why nothing can be said of the public way; undefined if serve answers on it. */
    noPublicWay(): Promise<string | undefined>;
  };
}
