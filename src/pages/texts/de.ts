import type { Texts } from './en.ts';

/** Texte der Seiten, die ihre noch nicht aus `pages/texts/de/pages.ts` nehmen. */
export const german: Texts = {
  shell: {
    skipToContent: 'Zum Inhalt springen',
    help: 'Hilfe vom Betreiber dieses Servers (öffnet einen neuen Tab)',
  },
  signIn: {
    title: 'Anmelden',
    goingTo: 'Du meldest dich an für:',
    app: 'Eine App auf diesem Gerät ({name})',
    name: 'Benutzername',
    nameHint: 'Wie in deinem Client: alice oder @alice:example.org',
    password: 'Passwort',
    next: 'Weiter',
    codeTitle: 'Bestätige, dass du es bist',
    codeIntro: 'Öffne deine Authenticator-App und gib den Code ein, den sie für dieses Konto zeigt.',
    confirmTitle: 'Weiter zu deinem Client?',
    confirmIntro: 'Du hast dich als {user} angemeldet. Zugang zu deinem Konto bekommt:',
    confirmWarning: 'Mach nur weiter, wenn du von dort kommst. Sonst schließe diese Seite.',
    confirm: 'Weiter',
    usedRecoveryCode: {
      one: 'Du hast einen Wiederherstellungscode verwendet. Es ist noch {count} übrig.',
      other: 'Du hast einen Wiederherstellungscode verwendet. Es sind noch {count} übrig.',
    },
    afterLoss:
      'Ist dein Telefon verloren oder gestohlen? Auf deiner Kontoseite ersetzt du den Authenticator und beendest andere Sitzungen. Das braucht noch zwei Wiederherstellungscodes: einen zum Anmelden dort, einen zum Ersetzen.',
    afterLossTooFew:
      'Ist dein Telefon verloren oder gestohlen? Es auf deiner Kontoseite zu ersetzen, braucht noch zwei Wiederherstellungscodes, und so viele hast du nicht mehr. Bitte den Betreiber dieses Servers um Hilfe.',
    accountPage: 'Kontoseite (öffnet einen neuen Tab)',
    startAgain: 'Von vorn beginnen',
  },
  code: {
    label: 'Code',
    hint: '{digits} Ziffern, aus deiner Authenticator-App',
    submit: 'Bestätigen',
    recoverySummary: 'Stattdessen einen Wiederherstellungscode verwenden',
    recoveryLabel: 'Wiederherstellungscode',
    recoveryHint: '12 Buchstaben und Ziffern, wie 7q2k\u2011x9vd\u201103mh. Jeder gilt einmal.',
    recoverySubmit: 'Diesen Code verwenden',
    noneLeft: 'Weder Authenticator noch Wiederherstellungscode? Bitte den Betreiber dieses Servers um Hilfe.',
  },
  setUp: {
    title: 'Zwei-Faktor-Authentifizierung einrichten',
    required:
      'Dieser Server verlangt Zwei-Faktor-Authentifizierung. Richte sie jetzt ein, um die Anmeldung fortzusetzen.',
    requiredSoon:
      'Dieser Server verlangt ab {date} UTC Zwei-Faktor-Authentifizierung. Richte sie jetzt oder später ein.',
    need: 'Du brauchst eine Authenticator-App auf deinem Telefon oder Computer. Von da an braucht es zum Anmelden einen Code aus ihr.',
    about: 'Eine App meldet sich in deinem Konto an.',
    notYou: 'Wenn du diese Anmeldung nicht begonnen hast, schließe diese Seite und ändere dein Passwort.',
    now: 'Jetzt einrichten',
    later: 'Später',
    scanText:
      'Öffne deine Authenticator-App (etwa Aegis, 2FAS, FreeOTP, Google Authenticator oder einen Passwort-Manager) und scanne diesen Code.',
    picture: 'QR-Code für deine Authenticator-App',
    openText: 'Ist deine Authenticator-App auf diesem Gerät? Öffne sie direkt.',
    open: 'Authenticator-App öffnen',
    cannotScan: 'Kein Scannen möglich?',
    key: 'Gib diesen Schlüssel ein (zeitbasiert, {digits} Stellen)',
    check: 'Gib den Code ein, den die App jetzt zeigt. So wird geprüft, ob die App richtig eingerichtet ist.',
    wrong:
      'Dieser Code ist falsch. Prüfe, ob die Uhr deines Telefons richtig geht, und versuche den aktuellen Code.',
    expired: 'Diese Einrichtung ist abgelaufen. Es wurde nichts geändert. Beginne von vorn.',
    tooMany: 'Zu viele falsche Codes. Es wurde nichts geändert. Beginne von vorn.',
    notHere:
      'Dieser Server verlangt einen Faktor, den diese Seite nicht einrichten kann. Melde dich mit einer anderen App an.',
    doneOn: 'Zwei-Faktor-Authentifizierung ist eingeschaltet.',
    noCodes:
      'Es gibt keine Wiederherstellungscodes zu zeigen: Sie werden nur einmal angezeigt. Auf deiner Kontoseite kannst du neue erstellen.',
    saveTitle: 'Speichere deine Wiederherstellungscodes',
    saveText:
      'Wenn du deinen Authenticator und diese Codes verlierst, bist du ausgesperrt. Du kannst sie später nicht mehr ansehen.',
    saveWhere:
      'Bewahre sie so auf, dass du sie ohne dein Telefon findest: auf Papier oder in einem Passwort-Manager auf einem anderen Gerät.',
    tick: 'Ich habe diese Codes gespeichert',
    tickFirst: 'Speichere die Codes und setze dann das Häkchen.',
    finish: 'Fertig',
    next: 'Weiter',
  },
  problems: {
    title: 'Das hat nicht geklappt',
    wrongPassword: 'Benutzername oder Passwort stimmt nicht.',
    wrongOwnPassword: 'Das Passwort stimmt nicht.',
    missingCode: 'Bitte gib einen Code ein.',
    wrongCode: 'Der Code stimmt nicht. Jeder Code gilt einmal; warte auf den nächsten.',
    wrongRecoveryCode: 'Der Wiederherstellungscode stimmt nicht. Jeder Code gilt einmal.',
    orRecoveryCode: 'Oder verwende einen Wiederherstellungscode.',
    totpShut:
      'Zu viele falsche Codes. Verwende einen Wiederherstellungscode oder frage den Betreiber dieses Servers.',
    waitSeconds: {
      one: 'Zu viele Versuche. Versuche es in {count} Sekunde noch einmal.',
      other: 'Zu viele Versuche. Versuche es in {count} Sekunden noch einmal.',
    },
    waitMinutes: {
      one: 'Zu viele Versuche. Versuche es in {count} Minute noch einmal.',
      other: 'Zu viele Versuche. Versuche es in {count} Minuten noch einmal.',
    },
    ended: 'Diese Seite ist abgelaufen oder wurde schon verwendet.',
    endedHint: 'Geh zurück zu deiner App und fang noch einmal an.',
    badRedirect:
      'Die App, die dich hierher geschickt hat, hat nicht gesagt, wohin es zurückgeht, oder ein Ziel genannt, das nicht erlaubt ist.',
    badRedirectHint: 'Beginne in deiner App: wähle dort die Anmeldung.',
    foreignForm: 'Dieses Formular kam nicht von dieser Seite.',
    foreignFormHint:
      'Geh zurück, lade die Seite neu und versuche es noch einmal. Dein Browser muss Cookies für diese Seite erlauben.',
    unreadable: 'Was dein Browser geschickt hat, konnte nicht gelesen werden.',
    unavailable: 'Der Server kann das gerade nicht. Bitte versuche es später noch einmal.',
  },
  account: {
    title: 'Zwei-Faktor-Authentifizierung',
    needsScript: 'Diese Seite braucht JavaScript. Bitte schalte es für diese Seite ein.',
    code: {
      label: 'Code',
      recoveryLabel: 'Wiederherstellungscode',
      hint: 'Jeder Code gilt einmal. Hast du ihn gerade benutzt, warte auf den nächsten.',
      recoveryHint: '12 Buchstaben und Ziffern, wie xxxx-xxxx-xxxx',
      useRecovery: 'Stattdessen einen Wiederherstellungscode benutzen',
      useApp: 'Stattdessen die Authenticator-App benutzen',
      noneLeft:
        'Weder Authenticator noch Wiederherstellungscode? Bitte den Betreiber dieses Servers um Hilfe.',
    },
    problem: {
      wait: 'Zu viele Versuche. Bitte warte {time} und versuche es dann noch einmal.',
      unexpected: 'Das hat nicht geklappt: {text}',
      seconds: { one: 'eine Sekunde', other: '{count} Sekunden' },
      minutes: { one: 'eine Minute', other: '{count} Minuten' },
    },
    proof: {
      codeAccepted: 'Der Code war richtig.',
      again: 'Zu viele falsche Versuche. Bitte gib einen neuen Code und dein Passwort ein.',
    },
    history: {
      events: {
        'factor.refused': 'Falscher Code',
        'throttle.wait': 'Zu viele falsche Codes',
        'throttle.shut': 'Zu viele falsche Codes: von dort werden keine mehr angesehen',
        'login.completed': 'Mit zweitem Faktor angemeldet',
        'login.enrolled': 'Zwei-Faktor-Authentifizierung bei einer Anmeldung eingerichtet',
        'login.held_ended': 'Anmeldung vor dem zweiten Faktor abgebrochen: jemand kannte das Passwort',
        'guard.passed': 'Geschützte Aktion bestätigt',
        'appservice.login': 'Von einem Anwendungsdienst angemeldet',
        'operator.reset': 'Zwei-Faktor-Authentifizierung vom Betreiber zurückgesetzt',
        'operator.restore': 'Der Betreiber hat eine Sicherung der zweiten Faktoren eingespielt',
        'operator.unlock': 'Vom Betreiber entsperrt',
        'operator.emergency_code': 'Der Betreiber hat einen Notfallcode ausgegeben',
        'emergency_code.used': 'Notfallcode des Betreibers benutzt',
        'operator.imported':
          'Zwei-Faktor-Authentifizierung vom Betreiber eingeschaltet, mit deinem bisherigen Authenticator',
        'device_password.created': 'Gerätepasswort erstellt',
        'device_password.first_used': 'Gerätepasswort zum ersten Mal verwendet',
        'device_password.used': 'Mit einem Gerätepasswort angemeldet',
        'device_password.renamed': 'Gerätepasswort umbenannt',
        'device_password.revoked': 'Gerätepasswort widerrufen',
        'device_password.ended':
          'Gerätepasswort beendet: Das Gerät wurde abgemeldet oder das Passwort geändert',
        'device_password.refused': 'Anmeldung mit einem Gerätepasswort abgelehnt',
        'policy.required': 'Zwei-Faktor-Authentifizierung ist von nun an Pflicht',
        'policy.overdue': 'Die Zeit zum Einrichten der Zwei-Faktor-Authentifizierung ist um',
        'policy.changed': 'Der Betreiber hat geändert, was von diesem Konto verlangt wird',
      },
    },
  },
};
