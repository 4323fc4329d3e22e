import type { NamedEvent } from '../../audit/events.ts';

/**
 * Texts of pages that do not take theirs from `pages/texts/en/pages.ts` yet; a text goes when its page has changed over.
 * `{name}` is a place that `fill` fills; `{ one, other }` is chosen by a number.
 */
export const english = {
  shell: {
    skipToContent: 'Skip to the content',
    help: 'Help from the operator of this server (opens in a new tab)',
  },
  signIn: {
    title: 'Sign in',
    goingTo: 'You are signing in for:',
    app: 'An app on this device ({name})',
    name: 'User name',
    nameHint: 'As in your client: alice or @alice:example.org',
    password: 'Password',
    next: 'Next',
    codeTitle: 'Confirm that it is you',
    codeIntro: 'Open your authenticator app and type the code that it shows for this account.',
    confirmTitle: 'Continue to your client?',
    confirmIntro: 'You have signed in as {user}. This will be given access to your account:',
    confirmWarning: 'Continue only if you came from there. If you did not, close this page.',
    confirm: 'Continue',
    usedRecoveryCode: {
      one: 'You used a recovery code. {count} is left.',
      other: 'You used a recovery code. {count} are left.',
    },
    afterLoss:
      'Is your phone lost or stolen? Replace the authenticator and end other sessions on your account page. That takes two more recovery codes: one to sign in there, one to replace.',
    afterLossTooFew:
      'Is your phone lost or stolen? Replacing it on your account page takes two more recovery codes, and you have too few. Ask the operator of this server for help.',
    accountPage: 'Account page (opens in a new tab)',
    startAgain: 'Start again',
  },
  code: {
    label: 'Code',
    hint: '{digits} digits, from your authenticator app',
    submit: 'Confirm',
    recoverySummary: 'Use a recovery code instead',
    recoveryLabel: 'Recovery code',
    recoveryHint: '12 letters and digits, like 7q2k\u2011x9vd\u201103mh. Each works once.',
    recoverySubmit: 'Use this code',
    noneLeft: 'Neither authenticator nor recovery code? Ask the operator of this server for help.',
  },
  /** A set-up during a sign-in. */
  setUp: {
    title: 'Set up two-factor authentication',
    required: 'This server requires two-factor authentication. Set it up now to go on signing in.',
    requiredSoon: 'This server requires two-factor authentication from {date} UTC. Set it up now, or later.',
    need: 'You need an authenticator app on your phone or computer. From then on a code from it is needed to sign in.',
    about: 'An app is signing in to your account.',
    notYou: 'If you did not begin this sign-in, close this page and change your password.',
    now: 'Set up now',
    later: 'Later',
    scanText:
      'Open your authenticator app (for example Aegis, 2FAS, FreeOTP, Google Authenticator or a password manager) and scan this code.',
    picture: 'QR code for your authenticator app',
    openText: 'Is your authenticator app on this device? Open it directly.',
    open: 'Open authenticator app',
    cannotScan: "Can't scan it?",
    key: 'Enter this setup key (time-based, {digits} digits)',
    check: 'Enter the code that the app shows now. This checks that the app is set up correctly.',
    wrong: "That code is incorrect. Check that your phone's clock is right, and try the current code.",
    expired: 'This set-up has expired. Nothing was changed. Start again.',
    tooMany: 'Too many incorrect codes. Nothing was changed. Start again.',
    notHere: 'This server wants a factor that this page cannot set up. Use another app to sign in.',
    doneOn: 'Two-factor authentication is on.',
    noCodes:
      'There are no recovery codes to show: they are shown only once. You can make new ones on your account page.',
    saveTitle: 'Save your recovery codes',
    saveText:
      "If you lose your authenticator and these codes, you will be locked out. You won't be able to see them again.",
    saveWhere:
      'Keep them where you find them without your phone: on paper, or in a password manager on another device.',
    tick: 'I have saved these codes',
    tickFirst: 'Save the codes, then tick the box.',
    finish: 'Done',
    next: 'Continue',
  },
  problems: {
    title: 'That did not work',
    wrongPassword: 'User name or password is not right.',
    wrongOwnPassword: 'The password is not right.',
    missingCode: 'Please enter a code.',
    wrongCode: 'The code is not right. A code works once; wait for the next one.',
    wrongRecoveryCode: 'The recovery code is not right. Each code works once.',
    orRecoveryCode: 'Or use a recovery code.',
    totpShut: 'Too many wrong codes. Use a recovery code, or ask the operator of this server.',
    waitSeconds: {
      one: 'Too many attempts. Try again in {count} second.',
      other: 'Too many attempts. Try again in {count} seconds.',
    },
    waitMinutes: {
      one: 'Too many attempts. Try again in {count} minute.',
      other: 'Too many attempts. Try again in {count} minutes.',
    },
    ended: 'This page has expired, or was used already.',
    endedHint: 'Go back to your app and begin again.',
    badRedirect:
      'The app that sent you here did not say where to go back to, or named a place that is not allowed.',
    badRedirectHint: 'Begin in your app: choose to sign in there.',
    foreignForm: 'This form was not sent from this page.',
    foreignFormHint: 'Go back, reload the page and try again. Your browser must allow cookies for this site.',
    unreadable: 'What your browser sent could not be read.',
    unavailable: 'The server cannot do this at the moment. Please try again later.',
  },
  account: {
    title: 'Two-factor authentication',
    needsScript: 'This page needs JavaScript. Please switch it on for this page.',
    code: {
      label: 'Code',
      recoveryLabel: 'Recovery code',
      hint: 'Each code works once. If you have just used it, wait for the next one.',
      recoveryHint: '12 letters and digits, as in xxxx-xxxx-xxxx',
      useRecovery: 'Use a recovery code instead',
      useApp: 'Use the authenticator app instead',
      noneLeft: 'No authenticator and no recovery code? Ask the operator of this server for help.',
    },
    problem: {
      wait: 'Too many attempts. Please wait {time}, then try again.',
      unexpected: 'That did not work: {text}',
      seconds: { one: 'one second', other: '{count} seconds' },
      minutes: { one: 'one minute', other: '{count} minutes' },
    },
    proof: {
      codeAccepted: 'The code was right.',
      again: 'Too many wrong attempts. Please enter a new code and your password.',
    },
    history: {
      /** Those of factors stand in the folder of each. */
      events: {
        'factor.refused': 'Wrong code',
        'throttle.wait': 'Too many wrong codes',
        'throttle.shut': 'Too many wrong codes: no more are looked at from there',
        'login.completed': 'Signed in with a second factor',
        'login.enrolled': 'Two-factor authentication set up during a sign-in',
        'login.held_ended': 'Sign-in ended before the second factor: someone knew the password',
        'guard.passed': 'Protected action confirmed',
        'appservice.login': 'Signed in by an application service',
        'operator.reset': 'Two-factor authentication reset by the operator',
        'operator.restore': 'The operator restored a backup of the second factors',
        'operator.unlock': 'Unlocked by the operator',
        'operator.emergency_code': 'The operator gave out an emergency code',
        'emergency_code.used': 'Emergency code of the operator used',
        'operator.imported':
          'Two-factor authentication turned on by the operator, with your authenticator of before',
        'device_password.created': 'Device password created',
        'device_password.first_used': 'Device password used for the first time',
        'device_password.used': 'Signed in with a device password',
        'device_password.renamed': 'Device password renamed',
        'device_password.revoked': 'Device password revoked',
        'device_password.ended':
          'Device password ended: its device was signed out, or the password was changed',
        'device_password.refused': 'Sign-in with a device password refused',
        'policy.required': 'Two-factor authentication is required from now on',
        'policy.overdue': 'The time to set up two-factor authentication is over',
        'policy.changed': 'The operator changed what is asked of this account',
      } satisfies Record<NamedEvent, string>,
    },
  },
};

/** The texts of one language: the same keys in all of them. */
export type Texts = typeof english;
