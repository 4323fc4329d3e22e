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
    loading: 'Wird geladen …',
    signIn: {
      device: 'Kontoseite',
      title: 'Dein Konto',
      intro:
        'Melde dich an, um die Zwei-Faktor-Authentifizierung zu verwalten. Wenn du diese Seite schließt, wirst du wieder abgemeldet.',
      name: 'Benutzername',
      password: 'Passwort',
      submit: 'Anmelden',
      otherWay:
        'Meldest du dich mit {providers} an? Dann hat dein Konto hier vielleicht kein Passwort, und die Zwei-Faktor-Authentifizierung wird dort eingeschaltet.',
      or: 'oder',
      codeTitle: 'Bestätige, dass du es bist',
      codeIntro: 'Gib den Code ein, den deine Authenticator-App gerade anzeigt.',
      recoveryIntro: 'Gib einen der Wiederherstellungscodes ein, die du gespeichert hast. Jeder gilt einmal.',
      confirm: 'Bestätigen',
      back: 'Als jemand anderes anmelden',
      idle: 'Du wurdest abgemeldet, weil zehn Minuten lang nichts geschehen ist.',
      done: 'Du bist abgemeldet.',
      ended: 'Deine Sitzung auf dieser Seite ist beendet. Bitte melde dich neu an.',
      tooMany: 'Zu viele falsche Codes, oder zu spät. Bitte melde dich neu an.',
      tooLate: 'Diese Anmeldung ist beendet. Bitte melde dich neu an.',
    },
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
    status: {
      signedInAs: 'Angemeldet als {user}',
      signOut: 'Abmelden',
      on: 'Eingeschaltet',
      off: 'Ausgeschaltet',
      offIntro:
        'Zum Anmelden genügt dein Passwort. Mit Zwei-Faktor-Authentifizierung braucht es zusätzlich einen Code aus einer App auf deinem Telefon. Wer dein Passwort erfährt, kommt dann trotzdem nicht hinein.',
      turnOn: 'Zwei-Faktor-Authentifizierung einschalten',
      lossTitle: 'Was, wenn ich mein Telefon verliere?',
      loss: 'Beim Einschalten bekommst du Wiederherstellungscodes. Mit deinem Passwort und einem dieser Codes meldest du dich ohne das Telefon an und richtest hier ein neues ein. Jeder Code gilt einmal. Bewahre sie so auf, dass du sie ohne dein Telefon findest.',
      lossAll:
        'Ohne Authenticator und ohne Wiederherstellungscode kann nur der Betreiber dieses Servers helfen, und erst, wenn sicher ist, dass du es bist.',
    },
    authenticators: {
      title: 'Authenticator-Apps',
      intro: 'Zum Anmelden genügt eine davon.',
      added: 'Hinzugefügt am {date}',
      used: 'zuletzt benutzt am {date}',
      neverUsed: 'noch nicht benutzt',
      add: 'Weiteren Authenticator hinzufügen',
      rename: 'Umbenennen',
      renameOf: '„{name}“ umbenennen',
      replace: 'Ersetzen',
      replaceOf: '„{name}“ ersetzen',
      remove: 'Entfernen',
      removeOf: '„{name}“ entfernen',
      name: 'Name',
      nameHint: 'Nur für dich, zum Beispiel „Telefon“ oder „Tablet“.',
      usualName: 'Telefon',
      save: 'Speichern',
      renamed: 'Der Authenticator hat seinen neuen Namen.',
      removed: 'Der Authenticator ist entfernt. Seine Codes gelten nicht mehr.',
      removeText: 'Codes von „{name}“ werden dann nicht mehr angenommen.',
      removeLastText:
        '„{name}“ ist dein einziger Authenticator: Ohne ihn ist die Zwei-Faktor-Authentifizierung aus, und deine Wiederherstellungscodes sind weg.',
    },
    codes: {
      title: 'Wiederherstellungscodes',
      intro:
        'Mit deinem Passwort und einem dieser Codes kommst du hinein, wenn dein Authenticator verloren ist.',
      left: { one: 'Einer von {total} Codes ist übrig.', other: '{count} von {total} Codes sind übrig.' },
      generated: 'Erstellt am {date}',
      used: 'Code {position}: benutzt am {date}',
      usedTitle: { one: 'Ein Code wurde benutzt', other: '{count} Codes wurden benutzt' },
      exist: 'Die Codes selbst werden nicht noch einmal angezeigt.',
      none: 'Du hast keine Wiederherstellungscodes. Verlierst du deinen Authenticator, kommst du nicht mehr hinein.',
      few: 'Du hast nur noch wenige Wiederherstellungscodes. Erstelle neue, bevor du sie brauchst.',
      create: 'Neue Wiederherstellungscodes erstellen',
      createText: 'Die Codes, die du jetzt hast, gelten dann sofort nicht mehr.',
      remove: 'Alle Codes löschen',
      removeText:
        'Ohne Wiederherstellungscodes kann ein gestohlener Code keinen Schaden anrichten. Verlierst du aber deinen Authenticator, kann nur der Betreiber dieses Servers helfen.',
      removed: 'Du hast keine Wiederherstellungscodes mehr.',
    },
    off: {
      title: 'Ausschalten',
      intro: 'Zum Anmelden genügt dann dein Passwort.',
      button: 'Zwei-Faktor-Authentifizierung ausschalten',
      text: 'Alle Authenticatoren und Wiederherstellungscodes gelten dann nicht mehr. Zum Anmelden genügt dein Passwort.',
      done: 'Die Zwei-Faktor-Authentifizierung ist ausgeschaltet.',
    },
    setup: {
      title: 'Zwei-Faktor-Authentifizierung einschalten',
      addTitle: 'Authenticator hinzufügen',
      replaceTitle: '„{name}“ ersetzen',
      required:
        'Dieser Server verlangt Zwei-Faktor-Authentifizierung. Richte sie jetzt ein, um die Anmeldung fortzusetzen.',
      proof: 'Bevor sich etwas ändert, zeige, dass du es bist.',
      steps: ['Scannen', 'Bestätigen', 'Codes speichern'],
      progress: 'Schritt {step} von 3',
      scanTitle: 'Scanne dieses Bild',
      scan: 'Öffne auf deinem Telefon eine Authenticator-App (jede ist recht: Aegis, FreeOTP, 2FAS, Google Authenticator, ein Passwort-Manager) und scanne damit das Bild.',
      picture: 'QR-Code für deine Authenticator-App',
      cannotScan: 'Du kannst es nicht scannen?',
      manual: 'Gib diesen Text in der App ein (zeitbasiert, {digits} Ziffern):',
      copySecret: 'Text kopieren',
      openApp: 'App auf diesem Gerät öffnen',
      next: 'Weiter',
      back: 'Zurück',
      confirmTitle: 'Bestätige mit dem ersten Code',
      confirm:
        'Gib den Code ein, den die App jetzt anzeigt. Das zeigt, dass die App richtig eingerichtet ist.',
      wrong:
        'Dieser Code stimmt nicht. Prüfe, ob die Uhr deines Telefons richtig geht, und versuche den Code, der jetzt angezeigt wird.',
      confirmButton: 'Bestätigen',
      cancel: 'Abbrechen',
      expired: 'Das hat zu lange gedauert. Bitte fange noch einmal an.',
      finish: 'Fertig',
      doneOn:
        'Die Zwei-Faktor-Authentifizierung ist eingeschaltet. Von jetzt an braucht es zum Anmelden einen Code.',
      doneAdded: 'Der Authenticator ist hinzugefügt.',
      replaced: 'Der Authenticator ist ersetzt. Codes des alten gelten nicht mehr.',
    },
    saveCodes: {
      title: 'Speichere deine Wiederherstellungscodes',
      intro:
        'Wenn du dein Telefon verlierst, kommst du mit deinem Passwort und einem dieser Codes hinein. Jeder gilt einmal. Sie werden nur jetzt angezeigt.',
      where:
        'Drucke sie aus oder schreibe sie ab, oder lege sie in einen Passwort-Manager auf einem anderen Gerät als dem mit deinem Authenticator.',
      warning: 'Ohne Authenticator und ohne diese Codes bist du ausgesperrt.',
      oldDead: 'Ältere Wiederherstellungscodes gelten nicht mehr.',
      list: 'Wiederherstellungscodes',
      copy: 'Kopieren',
      copied: 'Kopiert',
      download: 'Als Textdatei herunterladen',
      downloaded: 'Heruntergeladen',
      print: 'Drucken',
      saved: 'Ich habe diese Codes gespeichert',
      savedFirst: 'Bitte speichere die Codes zuerst und setze dann das Häkchen.',
      fileName: 'wiederherstellungscodes.txt',
      fileTitle: 'Wiederherstellungscodes für {user}',
      fileMade: 'Erstellt am {date}. Jeder Code gilt einmal.',
      finish: 'Fertig',
    },
    recovered: {
      text: {
        one: 'Du hast dich mit einem Wiederherstellungscode angemeldet. Er ist verbraucht; einer ist übrig.',
        other:
          'Du hast dich mit einem Wiederherstellungscode angemeldet. Er ist verbraucht; {count} sind übrig.',
      },
      advice:
        'Ist dein Authenticator verloren, ersetze ihn jetzt: Dafür brauchst du noch einen Wiederherstellungscode. Könnte er gestohlen sein, beende auch deine anderen Sitzungen.',
      last: 'Das war dein letzter Wiederherstellungscode. Ist dein Authenticator verloren, bitte den Betreiber dieses Servers um Hilfe, solange du noch irgendwo angemeldet bist.',
      replace: 'Authenticator ersetzen',
      endOthers: 'Andere Sitzungen beenden',
    },
    proof: {
      title: 'Bestätige, dass du es bist',
      password: 'Passwort',
      missingPassword: 'Bitte gib dein Passwort ein.',
      codeAccepted: 'Der Code war richtig.',
      again: 'Zu viele falsche Versuche. Bitte gib einen neuen Code und dein Passwort ein.',
      confirm: 'Bestätigen',
      cancel: 'Abbrechen',
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
        'policy.required': 'Zwei-Faktor-Authentifizierung ist von nun an Pflicht',
        'policy.overdue': 'Die Zeit zum Einrichten der Zwei-Faktor-Authentifizierung ist um',
        'policy.changed': 'Der Betreiber hat geändert, was von diesem Konto verlangt wird',
      },
    },
    help: {
      title: 'Fragen und Antworten',
      codePlace: {
        appended:
          'Tippe ihn direkt hinter das Passwort in dasselbe Feld. Genauso, wenn du in einer App dein Passwort änderst: Ins Feld für das alte Passwort gehören Passwort und Code.',
        page: 'Wähle in dieser App stattdessen Single Sign-on (SSO). Es öffnet eine Seite, die nach Passwort und Code fragt.',
        field:
          'Eine solche App kommt nicht in dieses Konto. Nimm eine, die ein eigenes Feld für den Code hat.',
      },
      items: [
        {
          question: 'Was ist Zwei-Faktor-Authentifizierung?',
          answer:
            'Zum Anmelden braucht es zweierlei: dein Passwort, das du weißt, und einen Code aus etwas, das du hast. Wer nur eins davon stiehlt, kommt nicht hinein.',
        },
        {
          question: 'Was ist eine Authenticator-App?',
          answer:
            'Eine App, die alle 30 Sekunden einen neuen sechsstelligen Code anzeigt, auch ohne Netz. Jede App für zeitbasierte Codes (TOTP) ist geeignet. Verlierst du sie, melde dich mit einem Wiederherstellungscode oder einem anderen Authenticator an.',
        },
        {
          question: 'Was ist ein Wiederherstellungscode?',
          answer:
            'Zwölf Buchstaben und Ziffern in Vierergruppen, etwa 7q2k-x9vd-03mh. Er gilt einmal anstelle eines Codes der App. Bindestriche und Großschreibung sind egal. Verlierst du deine Codes, erstelle hier mit deinem Authenticator neue.',
        },
        {
          question: 'Meine App fragt nur nach einem Passwort. Wohin kommt der Code?',
          answer: '{codePlace}',
        },
        {
          question: 'Ich habe beides verloren. Was nun?',
          answer:
            'Bitte den Betreiber dieses Servers um Hilfe. Er kann die Zwei-Faktor-Authentifizierung für dich zurücksetzen, aber erst, wenn sicher ist, dass du es bist.',
        },
      ],
    },
  },
};
