import type { Translation } from '../keys.ts';

/** Alle Texte auf Deutsch, mit du. */
export const pages: Translation = {
  // Shell
  'shell.skip': 'Zum Inhalt springen',
  'shell.error': 'Fehler: {title}',
  'shell.help': 'Hilfe',
  'shell.contact': 'Betreiber kontaktieren',
  'shell.privacy': 'Datenschutz',
  'shell.account': 'Kontosicherheit',
  'shell.version': 'matrix-2fa-proxy {version}',
  'shell.newTab': '(öffnet einen neuen Tab)',
  'shell.showPassword': 'Passwort anzeigen',
  'shell.hidePassword': 'Passwort verbergen',
  'shell.tryAgain': 'Erneut versuchen',
  'shell.cancel': 'Abbrechen',
  'shell.back': 'Zurück',
  'shell.languages': 'Sprache',
  'contact.known': 'Wende dich an den Betreiber dieses Servers: {contact}',
  'contact.unknown': 'Wende dich an die Menschen, die {server} betreiben.',

  // Sign-in page
  'signIn.title': 'Anmelden',
  'signIn.to': 'Nach dem Anmelden geht es weiter zu',
  'signIn.toAccount': 'Melde dich an, um die Sicherheit deines Kontos zu verwalten.',
  'signIn.app': 'einer App auf diesem Gerät ({name})',
  'signIn.user': 'Benutzername',
  'signIn.userHint': 'Zum Beispiel alice oder @alice:{server}',
  'signIn.password': 'Passwort',
  'signIn.next': 'Weiter',
  'signIn.passkey': 'Mit Passkey anmelden',
  'signIn.passkeyRefused':
    'Dieser Passkey wurde nicht angenommen. Versuche es erneut oder melde dich mit deinem Passwort an.',
  'signIn.passkeyUnsupported':
    'Passkeys funktionieren in diesem Fenster nicht. Öffne die Seite in deinem Browser oder verwende dein Passwort.',
  'signIn.or': 'oder',
  'signIn.provider': 'Weiter mit {provider}',
  'signIn.noScriptAccount': 'Nach dem Anmelden braucht diese Seite JavaScript.',
  'signIn.wrong': 'Benutzername oder Passwort ist falsch.',
  'signIn.missingUser': 'Gib deinen Benutzernamen ein.',
  'signIn.missingPassword': 'Gib dein Passwort ein.',
  'signIn.limitedByServer':
    'Der Server begrenzt gerade die Anmeldungen. Dein Passwort wurde nicht geprüft. Warte {time} und versuche es dann erneut.',
  'signIn.limited':
    'Zu viele Versuche aus deinem Netz. Dein Passwort wurde nicht geprüft. Warte {time} und versuche es dann erneut.',
  'time.seconds': '{count} Sekunde ‖ {count} Sekunden',
  'time.minutes': '{count} Minute ‖ {count} Minuten',

  // Code
  'code.title': 'Zwei-Faktor-Authentifizierung',
  'code.as': 'Anmeldung als {user}',
  'code.for': 'weiter zu {app}',
  'code.intro': 'Gib den {digits}-stelligen Code aus deiner Authenticator-App ein.',
  'code.label': 'Authentifizierungscode',
  'code.submit': 'Bestätigen',
  'code.useRecovery': 'Stattdessen einen Wiederherstellungscode verwenden',
  'code.useApp': 'Stattdessen die Authenticator-App verwenden',
  'code.recoveryLabel': 'Wiederherstellungscode',
  'code.recoveryHint': '12 Buchstaben und Ziffern, etwa 7q2k-x9vd-03mh. Jeder Code gilt einmal.',
  'code.passkey': 'Passkey oder Sicherheitsschlüssel verwenden',
  'code.passkeyRefused':
    'Dieser Passkey oder Sicherheitsschlüssel wurde nicht angenommen. Versuche es erneut oder verwende einen Code.',
  'code.passkeyUnsupported':
    'Passkeys funktionieren in diesem Fenster nicht. Öffne die Seite in deinem Browser oder verwende einen Code.',
  'code.wrong':
    'Dieser Code ist falsch oder wurde schon verwendet. Warte auf einen neuen Code und versuche es erneut.',
  'code.wrongRecovery': 'Dieser Wiederherstellungscode ist falsch oder wurde schon verwendet.',
  'code.missing': 'Gib einen Code ein.',
  'code.wait':
    'Zu viele falsche Codes. Dein Code wurde nicht geprüft. Warte {time} und versuche es dann erneut.',
  'code.shut': 'Zu viele falsche Codes. Melde dich mit einem Wiederherstellungscode an.',
  'code.lost': 'Telefon und Wiederherstellungscodes verloren?',
  'code.startOver': 'Nicht du? Von vorn beginnen',

  // Continue to the app
  'confirm.title': 'Weiter zu {app}?',
  'confirm.titleApp': 'Weiter zu einer App auf diesem Gerät?',
  'confirm.as': 'Du bist als {user} angemeldet.',
  'confirm.gives': 'Du gibst dieser App Zugriff auf dein Konto:',
  'confirm.warning':
    'Fahre nur fort, wenn du die Anmeldung dort begonnen hast. Wenn du einem fremden Link gefolgt bist, brich ab.',
  'confirm.allow': 'Weiter',
  'confirm.cancel': 'Abbrechen',
  'confirm.recovery':
    'Du hast einen Wiederherstellungscode verwendet. {count} ist übrig. ‖ Du hast einen Wiederherstellungscode verwendet. {count} sind übrig.',
  'confirm.recoveryLost':
    'Telefon verloren? Richte jetzt einen neuen Authenticator ein. Du brauchst keinen weiteren Code.',
  'confirm.replace': 'Neuen Authenticator einrichten',
  'confirm.offer': 'Dein Passwort ist der einzige Schutz dieses Kontos.',
  'confirm.offerLink': 'Zwei-Faktor-Authentifizierung einschalten',
  'cancelled.title': 'Anmeldung abgebrochen',
  'cancelled.text': 'Die App hat keinen Zugriff bekommen. Du kannst diese Seite schließen.',
  'access.title': 'Einer App Zugriff auf dein Konto geben?',
  'access.claims': 'Die App nennt sich „{name}“. Diesen Namen hat niemand geprüft.',
  'access.full':
    'Die App bekommt vollen Zugriff: Sie kann deine Nachrichten lesen, in deinem Namen schreiben und dein Konto sehen. Auf der Kontoseite kannst du sie jederzeit abmelden.',
  'access.warning':
    'Erlaube das nur, wenn du die Anmeldung selbst in dieser App begonnen hast. Wenn du einem fremden Link gefolgt bist, lehne ab.',
  'access.ends': 'Du bist auf dem Gerät {device} schon angemeldet. Wenn du das erlaubst, wird es abgemeldet.',
  'access.allow': 'Erlauben',
  'access.deny': 'Ablehnen',
  'access.back': 'Zurück zur App',
  'access.continue.title': 'Weiter in deiner App',
  'access.continue.text': 'Du bist angemeldet. Gehe jetzt zurück zur App: {app}',
  'access.fault.title': 'Diese App hat etwas angefragt, das nicht geht',
  'access.fault.text':
    'Der Fehler liegt in der Anfrage der App, nicht bei dir. Gehe zurück zur App und beginne dort von vorn.',
  'access.fault.detail': 'Das wird der App mitgeteilt: {error}',
  'replace.title': 'Authenticator ersetzen',
  'replace.which': 'Welcher ist verloren?',
  'replace.all': 'Alle',
  'replace.endOthers': 'Auch alle anderen Geräte abmelden, falls jemand dein Telefon haben könnte',
  'replace.othersFailed':
    'Deine anderen Geräte konnten nicht abgemeldet werden. Hole es auf der Kontoseite nach.',
  'replace.text':
    'Sobald der neue funktioniert, gelten die hier gewählten nicht mehr. Wenn du alle ersetzt, bekommst du auch neue Wiederherstellungscodes, und die alten gelten nicht mehr.',
  'replace.only':
    'Sobald der neue Authenticator funktioniert, gilt der alte nicht mehr. Du bekommst auch neue Wiederherstellungscodes, und die alten gelten nicht mehr.',

  // A device without a browser
  'link.title': 'Ein anderes Gerät anmelden',
  'link.intro': 'Gib den Code ein, den dein Gerät zeigt.',
  'link.code': 'Code des Geräts',
  'link.wrong': 'Dieser Code ist falsch oder gilt nicht mehr. Sieh auf dein Gerät und versuche es erneut.',
  'link.app': 'einer App auf einem anderen Gerät',
  'link.consent': 'Einem Gerät Zugriff auf dein Konto geben?',
  'link.shows': 'Du gibst dem Gerät Zugriff, das diesen Code zeigt:',
  'link.asked': 'Der Code wurde am {date} angefragt, von {address}.',
  'link.warning':
    'Erlaube das nur, wenn du es gerade selbst begonnen hast, auf einem Gerät vor dir. Wenn dir jemand den Code geschickt hat, lehne ab.',
  'link.done.title': 'Dein Gerät hat Zugriff',
  'link.done.text': 'Mach dort weiter. Du kannst diese Seite schließen.',
  'link.gone.title': 'Dieses Gerät wartet nicht mehr',
  'link.gone.text':
    'Sein Code wurde verwendet oder abgelehnt, oder er ist abgelaufen. Beginne auf dem Gerät von vorn.',

  // Error pages
  'error.expired.title': 'Diese Anmeldung ist abgelaufen',
  'error.expired.text':
    'Die Anmeldung war zu lange offen oder wurde an anderer Stelle beendet. Du bist nicht angemeldet.',
  'error.unknown.title': 'Diese Seite ist nicht mehr gültig',
  'error.unknown.text': 'Sie gehört zu einem anderen Browser oder war zu lange offen.',
  'error.used.title': 'Du hast dich bereits angemeldet',
  'error.used.text':
    'Diese Anmeldung wurde abgeschlossen. Du kannst diese Seite schließen und zu deiner App zurückgehen.',
  'error.tooMany.title': 'Zu viele falsche Codes',
  'error.tooMany.text':
    'Diese Anmeldung wurde zum Schutz deines Kontos beendet. Warte {time} und melde dich dann neu an.',
  'error.changed.title': 'Dein Konto hat sich geändert',
  'error.changed.text':
    'Während dieser Anmeldung wurde die Zwei-Faktor-Authentifizierung oder das Passwort geändert. Melde dich neu an.',
  'error.otherAccount.title': 'Das ist ein anderes Konto',
  'error.otherAccount.text':
    'Du hast dich mit einem anderen Konto angemeldet als dem, um das es hier geht. Es wurde nichts geändert. Melde dich mit dem richtigen Konto an.',
  'error.link.title': 'Dieser Link funktioniert nicht',
  'error.link.text':
    'Die App, die dich hierher geschickt hat, hat kein Ziel oder ein nicht erlaubtes Ziel angegeben. Beginne in deiner App von vorn.',
  'error.form.title': 'Dieses Formular konnte nicht angenommen werden',
  'error.form.text':
    'Es wurde nicht von dieser Seite gesendet, oder dein Browser blockiert Cookies für diese Seite. Es wurde nichts geändert.',
  'error.unreadable.title': 'Die Anfrage konnte nicht gelesen werden',
  'error.unreadable.text': 'Was dein Browser gesendet hat, war unvollständig. Es wurde nichts geändert.',
  'error.down.title': 'Der Server ist nicht erreichbar',
  'error.down.text':
    '{server} antwortet gerade nicht. Dein Code und dein Passwort wurden nicht abgelehnt. Versuche es in einer Minute erneut.',
  'error.notFound.title': 'Seite nicht gefunden',
  'error.signInAgain': 'Neu anmelden',
  'error.backToApp': 'Gehe zurück zu deiner App und beginne dort von vorn.',
  'error.reload': 'Seite neu laden',

  // Recovery of an account without any factor
  'code.recoveryRuns':
    'Jemand hat die Wiederherstellung dieses Kontos begonnen. Ab {date} kann diese Person einen neuen Authenticator einrichten. Wenn du das nicht warst, stoppe die Wiederherstellung jetzt und ändere dein Passwort.',
  'code.recoveryStopped':
    'Die Wiederherstellung wurde gestoppt. Ändere jetzt dein Passwort: Wer sie begonnen hat, kennt es.',
  'recover.title': 'Konto wiederherstellen',
  'recover.intro':
    'Wenn du dein Telefon und deine Wiederherstellungscodes verloren hast, gib dein Passwort ein. Bevor etwas beginnt, kannst du lesen, was geschieht.',
  'recover.forgotten': 'Wenn du dein Passwort vergessen hast, setze es zuerst in deiner App zurück.',
  'recover.for': 'Es geht um das Konto {user}.',
  'recover.takes': 'Du musst {time} warten. Danach kannst du hier einen neuen Authenticator einrichten.',
  'recover.daysOff': 'Freie Tage zählen nicht, es kann also länger dauern.',
  'recover.tells':
    'Diese werden jetzt, während der Wartezeit und am Ende benachrichtigt. Sie alle können die Wiederherstellung stoppen:',
  'recover.devices': '{count} angemeldetes Gerät ‖ {count} angemeldete Geräte',
  'recover.operators': 'die Betreiber dieses Servers',
  'recover.voters': '{count} Vertrauensperson ‖ {count} Vertrauenspersonen',
  'recover.roomAdmins': '{count} Administrator deiner Räume ‖ {count} Administratoren deiner Räume',
  'recover.noOne': 'Zurzeit kann niemand benachrichtigt werden.',
  'recover.useNotify':
    'Wenn eines deiner Geräte benutzt wird, während du wartest, erfahren es die Betreiber.',
  'recover.useCancel':
    'Wenn eines deiner Geräte benutzt wird, während du wartest, endet die Wiederherstellung.',
  'recover.end':
    'Am Ende gelten alle alten Authenticators und Wiederherstellungscodes nicht mehr, und alle anderen Geräte werden abgemeldet. Nachrichten darauf, die nicht gesichert sind, gehen verloren.',
  'recover.voucher': 'Wiederherstellungscode (freiwillig)',
  'recover.voucherHint': 'Wenn du noch einen hast: Er wird verbraucht, und du wartest nur {time}.',
  'recover.start': 'Wiederherstellung beginnen',
  'recover.claimTitle': 'Bewahre deinen Abholcode auf',
  'recover.claimText':
    'Du brauchst ihn und dein Passwort zum Abschließen. Drucke ihn aus oder schreibe ihn auf: Du kannst ihn später nicht mehr ansehen.',
  'recover.opens': 'Ab {date} kannst du hier abschließen.',
  'recover.claimTick': 'Ich habe diesen Code gespeichert',
  'recover.claimTickFirst': 'Speichere den Code und setze dann das Häkchen.',
  'recover.sheet': 'Abholcode für {user} · {server}',
  'recover.running': 'Die Wiederherstellung läuft',
  'recover.runningText':
    'Die Wiederherstellung wurde am {begun} begonnen. Ab {date} kannst du sie auf dieser Seite abschließen, mit deinem Passwort und deinem Abholcode.',
  'recover.notYou':
    'Wenn du sie nicht begonnen hast, stoppe sie und ändere dein Passwort: Wer sie begonnen hat, kennt es.',
  'recover.stop': 'Wiederherstellung stoppen',
  'recover.finishTitle': 'Wiederherstellung abschließen',
  'recover.finishText': 'Gib den Abholcode ein, den du am Anfang bekommen hast. Das ist bis {date} möglich.',
  'recover.claim': 'Abholcode',
  'recover.claimHint': 'Zum Beispiel claim-7q2k-x9vd-03mh-5tbe',
  'recover.claimWrong': 'Dieser Abholcode ist falsch.',
  'recover.claimMissing': 'Gib deinen Abholcode ein.',
  'recover.newAuthenticator': 'Neuen Authenticator einrichten',
  'recover.doneTitle': 'Dein Konto ist wiederhergestellt',
  'recover.done': 'Dein Konto ist wiederhergestellt.',
  'recover.notAlone':
    'Deine anderen Geräte konnten noch nicht abgemeldet werden. Wer eines davon hat, ist noch in deinem Konto.',
  'recover.noFactor': 'Du kannst dich anmelden',
  'recover.noFactorText':
    'Dieses Konto hat keine Zwei-Faktor-Authentifizierung. Dein Passwort genügt: Melde dich in deiner App an.',
  'recover.notHere': 'Dieses Konto kann hier nicht wiederhergestellt werden',
  'recover.tooOften': 'Die Wiederherstellung wurde zu oft begonnen',
  'recover.tooOftenText': 'In 30 Tagen ist das dreimal möglich.',
  'recover.ended': 'Diese Wiederherstellung ist beendet',
  'recover.stopped': 'Die Wiederherstellung wurde gestoppt',
  'recover.stoppedText':
    'Es wurde nichts geändert. Ändere jetzt dein Passwort: Wer sie begonnen hat, kennt es.',
  'recover.stoppedOther': 'Es wurde nichts geändert. Sag der Person, der {user} gehört, persönlich Bescheid.',
  'recover.askStop': 'Diese Wiederherstellung stoppen?',
  'recover.askStopText':
    'Jemand, der das Passwort von {user} kennt, hat am {begun} die Wiederherstellung dieses Kontos begonnen. Ab {date} kann diese Person einen neuen Authenticator einrichten.',
  'recover.asksNothing': 'Diese Seite fragt weder nach einem Passwort noch nach einem Code.',
  'recover.over.cancelled': 'Die Wiederherstellung wurde am {date} gestoppt.',
  'recover.over.refused': 'Die Wiederherstellung wurde am {date} abgelehnt. Es wurde nichts geändert.',
  'recover.over.finished':
    'Die Wiederherstellung wurde am {date} abgeschlossen: Das Konto hat einen neuen Authenticator. Wenn du das nicht erwartet hast, sag sofort den Betreibern dieses Servers Bescheid.',
  'recover.over.expired':
    'Die Wiederherstellung wurde nicht rechtzeitig abgeschlossen. Es wurde nichts geändert.',
  'recover.linkTitle': 'Dieser Link funktioniert nicht',
  'recover.linkText':
    'Er ist unvollständig, oder es gibt keine solche Wiederherstellung. Öffne ihn so, wie er in der Nachricht steht.',
  'time.hours': '{count} Stunde ‖ {count} Stunden',
  'time.days': '{count} Tag ‖ {count} Tage',

  // Approval in an app (fallback pages)
  'approve.title': 'Bestätige deine Identität',
  'approve.about': 'Eine App, die in deinem Konto angemeldet ist, möchte',
  'approve.asked': 'Angefragt von {device}, Adresse {address}, {time}.',
  'approve.notYou':
    'Wenn du das nicht angefordert hast, schließe diese Seite und melde deine anderen Geräte ab.',
  'approve.password': 'Gib das Passwort von {user} ein.',
  'approve.ownPassword': 'Gib das Passwort deines Kontos ein.',
  'approve.provider': 'Melde dich noch einmal bei deinem Anbieter an, um zu bestätigen, dass du es bist.',
  'approve.providerGo': 'Weiter',
  'approve.wrongPassword': 'Das Passwort ist falsch.',
  'approve.submit': 'Genehmigen',
  'approve.done.title': 'Genehmigt',
  'approve.done.text': 'Du kannst diese Seite schließen und zu deiner App zurückgehen.',
  'approve.expired.title': 'Diese Anfrage ist nicht mehr offen',
  'approve.expired.text':
    'Die Anfrage wurde abgeschlossen oder war zu lange offen. Gehe zurück zu deiner App; falls sie nicht erledigt ist, versuche es dort erneut.',
  'approve.tooMany.text':
    'Diese Anfrage wurde zum Schutz deines Kontos beendet. Warte {time} und beginne dann in deiner App von vorn.',
  'approve.tooManyPasswords.title': 'Zu viele falsche Passwörter oder Codes',
  'approve.tooManyPasswords.text':
    'Diese Anfrage wurde zum Schutz deines Kontos beendet. Beginne in deiner App von vorn.',
  'approve.oauth.title': 'Diese App kann hier keine Genehmigung bekommen',
  'approve.oauth.text':
    'Die App wurde ohne dein Passwort angemeldet, deshalb kann dein Passwort für sie nicht geprüft werden. Melde dich in der App mit deinem Passwort an und versuche es dort erneut.',
  'approve.closed.title': 'Dieses Konto ist gesperrt oder deaktiviert',
  'approve.closed.text': 'Der Server nimmt keine Änderungen daran an. Es wurde nichts geändert.',
  'approve.noPassword.title': 'Dieses Konto hat kein Passwort',
  'approve.noPassword.text':
    'Der Server verlangt hierfür eines, deshalb kann es hier nicht genehmigt werden. Es wurde nichts geändert. Ein Betreiber kann ein Passwort für das Konto festlegen. Beginne dann in deiner App von vorn.',
  'approve.removeDevices': '{count} Gerät abmelden ‖ {count} Geräte abmelden',
  'approve.changePassword': 'dein Passwort ändern',
  'approve.deactivate': 'dein Konto dauerhaft deaktivieren',
  'approve.addAddress': 'deinem Konto eine E-Mail-Adresse oder Telefonnummer hinzufügen',
  'approve.removeAddress': 'eine E-Mail-Adresse oder Telefonnummer aus deinem Konto entfernen',
  'approve.resetIdentity': 'deine Verschlüsselungsidentität zurücksetzen (Cross-Signing)',
  'approve.loginToken': 'ein weiteres Gerät anmelden',
  'approve.other': 'etwas in deinem Konto ändern',
  'approve.unknownDevice': 'einem unbekannten Gerät',
  'approve.unknownAddress': 'unbekannt',
  'approve.turnOff': 'die Zwei-Faktor-Authentifizierung ausschalten',
  'approve.renewCodes': 'neue Wiederherstellungscodes erstellen; die alten gelten dann nicht mehr',
  'approve.deleteCodes': 'deine Wiederherstellungscodes löschen',
  'approve.recoveryVote': 'antworten, ob eine Wiederherstellung von der richtigen Person kommt',
  'approve.recoveryContacts':
    'die Einstellungen zur Wiederherstellung des Kontos ändern: wer benachrichtigt wird, wer abstimmt, und Abwesenheiten',
  'approve.noRecoveryContacts': 'alle Kontakte für die Wiederherstellung des Kontos entfernen',
  'approve.devicePassword': 'ein Gerätepasswort erstellen, das ohne Code anmeldet',

  // Account page
  'account.title': 'Kontosicherheit',
  'account.deviceName': 'Kontoseite',
  'account.signOut': 'Abmelden',
  'account.signedOut': 'Du bist abgemeldet.',
  'account.idle': 'Du wurdest nach {time} ohne Aktivität abgemeldet.',
  'account.stay':
    'Du bleibst hier {time} ohne Aktivität angemeldet. Melde dich an einem gemeinsam genutzten Computer am Ende ab.',
  'account.needsScript':
    'Diese Seite braucht JavaScript. Schalte es für diese Seite ein oder lies die Hilfeseite.',
  'account.loading': 'Wird geladen …',
  'account.notLoaded': 'Das konnte nicht geladen werden. {reason}',
  'reason.down': 'Der Server antwortet nicht.',
  'reason.limited': 'Der Server ist ausgelastet. Versuche es in {time} erneut.',
  'status.on': 'Zwei-Faktor-Authentifizierung ist eingeschaltet',
  'status.onText': 'Zum Anmelden brauchst du dein Passwort und einen zweiten Schritt.',
  'status.onText.noPassword': 'Zum Anmelden brauchst du deinen Anbieter und einen zweiten Schritt.',
  'status.weak': 'Zwei-Faktor-Authentifizierung ist eingeschaltet, aber du hast keinen Weg zurück',
  'status.weakText':
    'Du hast keine Wiederherstellungscodes. Wenn du deinen Authenticator verlierst, verlierst du den Zugang zu deinem Konto.',
  'status.off': 'Zwei-Faktor-Authentifizierung ist ausgeschaltet',
  'status.offText':
    'Wer dein Passwort erfährt, kann sich als du anmelden. Füge einen zweiten Schritt hinzu, den nur du hast.',
  'status.offText.noPassword':
    'Wer in dein Konto bei deinem Anbieter kommt, kann sich hier als du anmelden. Füge einen zweiten Schritt hinzu, den nur du hast.',
  'status.turnOn': 'Zwei-Faktor-Authentifizierung einschalten',
  'status.unknown': 'Dein Status konnte nicht geladen werden',
  'stepUp.until': 'Bestätigt bis {time}',
  'recovered.title': 'Telefon verloren?',
  'recovered.text':
    'Du hast dich mit einem Wiederherstellungscode angemeldet; {count} ist übrig. Richte jetzt einen neuen Authenticator ein. Du brauchst keinen weiteren Code. ‖ Du hast dich mit einem Wiederherstellungscode angemeldet; {count} sind übrig. Richte jetzt einen neuen Authenticator ein. Du brauchst keinen weiteren Code.',
  'recovered.again':
    'Du hast dich mit einem Wiederherstellungscode angemeldet; {count} ist übrig. Um deinen Authenticator zu ersetzen, brauchst du einen weiteren. ‖ Du hast dich mit einem Wiederherstellungscode angemeldet; {count} sind übrig. Um deinen Authenticator zu ersetzen, brauchst du einen weiteren.',
  'recovered.last':
    'Das war dein letzter Wiederherstellungscode. Richte jetzt einen neuen Authenticator ein, solange du hier angemeldet bist.',
  'recovered.earlier':
    'Am {date} wurde ein Wiederherstellungscode verwendet ({device}). Wenn du dein Telefon verloren hast, ersetze es hier. Wenn du das nicht warst, melde deine anderen Geräte ab und ändere dein Passwort.',
  'recovered.earlier.noPassword':
    'Am {date} wurde ein Wiederherstellungscode verwendet ({device}). Wenn du dein Telefon verloren hast, ersetze es hier. Wenn du das nicht warst, melde deine anderen Geräte ab und sichere dein Konto bei deinem Anbieter.',
  'recovered.dismiss': 'Ich habe mein Telefon noch',
  'auth.title': 'Authenticators',
  'auth.intro': 'Zum Anmelden genügt einer davon.',
  'auth.dates': 'Hinzugefügt {date} · zuletzt verwendet {used}',
  'auth.datesUnused': 'Hinzugefügt {date} · {never}',
  'auth.neverUsed': 'noch nicht verwendet',
  'auth.add': 'Authenticator hinzufügen',
  'auth.rename': 'Umbenennen',
  'auth.replace': 'Ersetzen',
  'auth.remove': 'Entfernen',
  'auth.renameOf': '„{name}“ umbenennen',
  'auth.replaceOf': '„{name}“ ersetzen',
  'auth.removeOf': '„{name}“ entfernen',
  'auth.more': 'Weitere Aktionen für {name}',
  'auth.removeText': 'Codes von „{name}“ gelten dann nicht mehr.',
  'auth.removeLast':
    '„{name}“ ist dein einziger Authenticator. Wenn du ihn entfernst, wird die Zwei-Faktor-Authentifizierung ausgeschaltet, und deine Wiederherstellungscodes werden gelöscht.',
  'auth.renamed': 'Authenticator umbenannt.',
  'auth.removed': 'Authenticator entfernt.',
  'auth.passkey': 'Passkey oder Sicherheitsschlüssel',
  'auth.backedUp': 'Gesichert: Er geht nicht mit einem Gerät verloren.',
  'auth.unusable': 'Er funktioniert auf diesem Server nicht mehr. Entferne ihn und füge einen neuen hinzu.',
  'auth.copied': 'Dieser Schlüssel wurde vielleicht kopiert. Entferne ihn und füge ihn neu hinzu.',
  'auth.removeKey': '„{name}“ funktioniert dann nicht mehr.',
  'devicePasswords.title': 'Gerätepasswörter',
  'devicePasswords.intro':
    'Für Bots und Apps, die nur Passwörter kennen: Jedes meldet eine App an, ohne Code.',
  'devicePasswords.add': 'Gerätepasswort erstellen',
  'devicePasswords.addText':
    'Erstelle für jede App ein eigenes: Zwei Apps mit demselben können verschlüsselte Nachrichten nicht zuverlässig lesen. Eine App, die ihre Daten verloren hat, braucht ein neues.',
  'devicePasswords.name': 'Name der App',
  'devicePasswords.nameHint': 'Andere sehen ihn vielleicht als Namen des Geräts.',
  'devicePasswords.usualName': 'App',
  'devicePasswords.none': 'Noch keine Gerätepasswörter.',
  'devicePasswords.notLoaded': 'Deine Gerätepasswörter konnten nicht geladen werden. {reason}',
  'devicePasswords.unusable': 'Es funktioniert nicht mehr. Widerrufe es und erstelle ein neues.',
  'devicePasswords.renamed': 'Gerätepasswort umbenannt.',
  'devicePasswords.revoke': 'Widerrufen',
  'devicePasswords.revokeOf': '„{name}“ widerrufen',
  'devicePasswords.revokeText': 'Die App wird sofort abgemeldet, und ihre Schlüssel gehen mit ihr verloren.',
  'devicePasswords.revoked': 'Gerätepasswort widerrufen.',
  'devicePasswords.made': 'Dein neues Gerätepasswort',
  'devicePasswords.madeText':
    'Gib es in der App „{name}“ statt deines Passworts ein, mit dem Benutzernamen {user}.',
  'devicePasswords.once': 'Du kannst es danach nicht mehr ansehen.',
  'contacts.title': 'Wiederherstellung des Kontos',
  'contacts.intro':
    'Wenn du alles verlierst, kannst du dein Konto nach einer Wartezeit wiederherstellen. Stelle das hier ein, bevor du es brauchst.',
  'contacts.notLoaded': 'Die Einstellungen zur Wiederherstellung konnten nicht geladen werden. {reason}',
  'contacts.changed': 'Einstellungen zur Wiederherstellung geändert.',
  'contacts.forbidden': 'Der Betreiber dieses Servers erlaubt die Wiederherstellung für dieses Konto nicht.',
  'contacts.zone': 'Zeitzone',
  'contacts.zoneHint': 'Etwa Europe/Berlin. Leer: die des Servers, {zone}.',
  'contacts.zoneText': 'Die Wartezeit läuft an den Arbeitstagen dieser Zeitzone.',
  'contacts.zoneServer': '{zone} (die des Servers)',
  'contacts.zoneChange': 'Zeitzone ändern',
  'contactLink.title': 'Kontaktadresse bestätigen',
  'contactLink.text':
    '{address} wurde als Kontaktadresse für die Wiederherstellung des Kontos {user} eingetragen. Die Adresse bekommt nur Nachrichten darüber und kann eine Wiederherstellung stoppen.',
  'contactLink.asksNothing': 'Diese Seite fragt weder nach einem Passwort noch nach einem Code.',
  'contactLink.confirm': 'Bestätigen',
  'contactLink.confirmed': 'Kontaktadresse bestätigt',
  'contactLink.confirmedText':
    'Ab jetzt wird diese Adresse benachrichtigt, wenn die Wiederherstellung des Kontos begonnen wird.',
  'contactLink.unknown': 'Dieser Link gilt nicht',
  'contactLink.unknownText':
    'Er wurde schon verwendet, ist älter als ein Tag, oder inzwischen wurde eine andere Adresse eingetragen.',
  'contacts.mail': 'Kontaktadresse',
  'contacts.mailNone': 'Keine',
  'contacts.mailChange': 'Kontaktadresse ändern',
  'contacts.mailText':
    'Eine weitere Mailadresse, die erfährt, wenn die Wiederherstellung des Kontos begonnen wird, und sie stoppen kann. Die Adresse bekommt eine Mail mit einem Link, der sie bestätigt.',
  'contacts.mailField': 'Mailadresse',
  'contacts.mailHint': 'Leer: keine.',
  'contacts.mailConfirmed': 'Bestätigt {date}',
  'contacts.mailWaits': 'Noch nicht bestätigt: Der Link steht in der Mail.',
  'contacts.addressField': 'Mailadresse oder Telefonnummer',
  'contacts.phoneField': 'Telefonnummer',
  'contacts.phoneHint': 'Eine Telefonnummer beginnt mit dem Land, wie +49 151 12345678. Leer: keine.',
  'contacts.phoneText':
    'Eine weitere Adresse, die erfährt, wenn die Wiederherstellung des Kontos begonnen wird, und sie stoppen kann. Die Adresse bekommt eine Nachricht mit einem Link, der sie bestätigt. Eine SMS kann eine Wiederherstellung nur stoppen: Eine SMS ist kein zweiter Faktor, denn andere können sie lesen.',
  'contacts.phoneWaits': 'Noch nicht bestätigt: Der Link steht in der SMS.',
  'contacts.away': 'Abwesenheiten',
  'contacts.awayNone': 'Keine Abwesenheiten eingetragen.',
  'contacts.awayAdd': 'Abwesenheit eintragen',
  'contacts.awayText':
    'An diesen Tagen steht die Wartezeit still. Das gilt nur, wenn die Abwesenheit vor dem Beginn einer Wiederherstellung eingetragen wird. Höchstens 21 Tage am Stück.',
  'contacts.awayFrom': 'Erster Tag',
  'contacts.awayTo': 'Letzter Tag',
  'contacts.awayRange': '{from} bis {to}',
  'contacts.awayRemoveOf': 'Abwesenheit {range} entfernen',
  'contacts.awayRemoveText': 'An diesen Tagen läuft die Wartezeit dann wieder.',
  'contacts.voters': 'Personen, die abstimmen',
  'contacts.votersNone': 'Niemand ist benannt.',
  'contacts.voterAdd': 'Person benennen',
  'contacts.voterText':
    'Personen auf diesem Server mit Zwei-Faktor-Authentifizierung. Bei einer Wiederherstellung werden sie gefragt, wer dahintersteckt, und können die Wartezeit verkürzen oder alles stoppen. Sie sollten vorher davon wissen.',
  'contacts.voterName': 'Benutzername',
  'contacts.voterNameHint': 'Vollständig, etwa @carol:example.org.',
  'contacts.voterFrom': 'Zählt ab {date}',
  'contacts.voterRemoveOf': '{name} entfernen',
  'contacts.voterRemoveText': '{name} wird bei später begonnenen Wiederherstellungen nicht mehr gefragt.',
  'contacts.removeAll': 'Alles entfernen',
  'contacts.removeAllText': 'Zeitzone, Kontaktadresse, Abwesenheiten und benannte Personen werden entfernt.',
  'contacts.removed': 'Einstellungen zur Wiederherstellung entfernt.',
  'vote.title': 'Frage zu einer Wiederherstellung',
  'vote.text':
    'Jemand möchte wieder in das eigene Konto auf diesem Server und hat dich als Person benannt, die ihn oder sie kennt. Melde dich mit deinem eigenen zweiten Faktor an, um zu sehen, um wessen Konto es geht.',
  'vote.continue': 'Weiter zur Kontoseite',
  'vote.needsScript': 'Der Link braucht einen Browser, der Skripte ausführt.',
  'vote.cardTitle': 'Ist es die richtige Person?',
  'vote.about': '{user} will seit {date} ohne zweiten Faktor wieder in das Konto.',
  'vote.reach':
    'Frag die Person vor deiner Antwort auf einem anderen Weg als über Matrix: am Telefon oder persönlich. Wer das Konto gestohlen hat, kann dir daraus schreiben.',
  'vote.yes': 'Ja, sie ist es',
  'vote.yesText': 'Mit genug solchen Antworten kann das Konto früher wiederhergestellt werden.',
  'vote.how': 'Wie das geprüft wurde',
  'vote.howHint': 'Etwa „am Telefon gesprochen“. Der Betreiber kann es lesen.',
  'vote.no': 'Nein, stoppen',
  'vote.noText': 'Die Wiederherstellung wird sofort gestoppt, und der Betreiber erfährt davon.',
  'vote.thanks': 'Die Antwort ist gespeichert.',
  'vote.answered': 'Schon beantwortet.',
  'vote.over': 'Diese Wiederherstellung ist beendet.',
  'vote.unknown':
    'Dieser Link gilt nicht für dieses Konto. Melde dich mit dem Konto an, das ihn bekommen hat.',
  'vote.notLoaded': 'Die Frage konnte nicht geladen werden. {reason}',
  'vote.later': 'Nicht jetzt',
  'vote.close': 'Schließen',
  'codes.title': 'Wiederherstellungscodes',
  'codes.intro': 'Wenn du deinen Authenticator verlierst, verwende stattdessen einen Wiederherstellungscode.',
  'codes.left': '{count} von {total} übrig',
  'codes.made': 'Erstellt {date}',
  'codes.few': 'Es sind nur noch wenige Codes übrig. Erstelle neue, bevor du sie brauchst.',
  'codes.none':
    'Du hast keine Wiederherstellungscodes. Wenn du deinen Authenticator verlierst, verlierst du den Zugang zu deinem Konto.',
  'codes.create': 'Neue Wiederherstellungscodes erstellen',
  'codes.createText': 'Deine jetzigen Codes gelten dann sofort nicht mehr.',
  'codes.delete': 'Codes löschen',
  'codes.deleteText':
    'Wenn du sie löschst und deinen Authenticator verlierst, kann nur ein Betreiber den Zugang wiederherstellen.',
  'codes.created': 'Neue Wiederherstellungscodes erstellt.',
  'codes.deleted': 'Wiederherstellungscodes gelöscht.',
  'codes.notShown': 'Die Codes selbst werden nicht noch einmal angezeigt.',
  'codes.usedTitle': '{count} Code wurde verwendet ‖ {count} Codes wurden verwendet',
  'codes.used': 'Code {position}: verwendet {date}',
  'sessions.title': 'Angemeldete Geräte',
  'sessions.intro': 'Melde Geräte ab, die du nicht kennst.',
  'sessions.asked': 'Deine App hat nach diesem Gerät gefragt',
  'sessions.askedGone': 'Das Gerät, nach dem deine App gefragt hat, ist nicht mehr angemeldet.',
  'actions.crossSigning':
    'Um deine Verschlüsselungsidentität zurückzusetzen, beginne in deiner App. Die App führt dich zu einer Seite, die nach deinem zweiten Faktor und deinem Passwort fragt.',
  'end.title': 'Passwort und Konto',
  'end.title.noPassword': 'Konto',
  'end.intro': 'Manche Apps können das nicht selbst und schicken dich hierher.',
  'end.password': 'Passwort ändern',
  'end.newPassword': 'Neues Passwort',
  'end.newPasswordHint': 'Du verwendest es von jetzt an überall, wo du dich anmeldest.',
  'end.passwordText': 'Du wirst hier abgemeldet und meldest dich mit dem neuen Passwort an.',
  'end.others': 'Auch alle anderen Geräte abmelden',
  'end.deactivate': 'Konto deaktivieren',
  'end.deactivateText': 'Du wirst überall abgemeldet, und niemand kann sich mehr mit diesem Konto anmelden.',
  'end.forGood': 'Das lässt sich nicht rückgängig machen.',
  'sessions.here': 'Diese Seite',
  'sessions.seen': 'Zuletzt aktiv {date} · {address}',
  'sessions.unnamed': 'Gerät ohne Namen',
  'sessions.signOut': 'Abmelden',
  'sessions.signOutOf': '„{name}“ abmelden',
  'sessions.signOutOthers': 'Alle anderen Geräte abmelden',
  'sessions.signOutText':
    '„{name}“ wird sofort abgemeldet. Nachrichten darauf, die nicht gesichert sind, können verloren gehen.',
  'sessions.done': '{count} Gerät abgemeldet. ‖ {count} Geräte abgemeldet.',
  'sessions.none': 'Es ist kein anderes Gerät angemeldet.',
  'sessions.notLoaded':
    'Deine Geräte konnten nicht geladen werden. Es können weitere angemeldet sein. {reason}',
  'sessions.signOutOthersText':
    '{count} Gerät wird sofort abgemeldet. Nachrichten darauf, die nicht gesichert sind, können verloren gehen. ‖ {count} Geräte werden sofort abgemeldet. Nachrichten darauf, die nicht gesichert sind, können verloren gehen.',
  'history.title': 'Aktivität',
  'history.intro': 'Kommt dir etwas unbekannt vor? Melde deine anderen Geräte ab und ändere dein Passwort.',
  'history.intro.noPassword':
    'Kommt dir etwas unbekannt vor? Melde deine anderen Geräte ab und sichere dein Konto bei deinem Anbieter.',
  'history.none': 'Noch keine Aktivität.',
  'history.notLoaded': 'Deine Aktivität konnte nicht geladen werden. {reason}',
  'history.more': 'Mehr anzeigen',
  'off.title': 'Zwei-Faktor-Authentifizierung ausschalten',
  'off.text':
    'Dann genügt dein Passwort zum Anmelden. Alle Authenticators und Wiederherstellungscodes werden gelöscht.',
  'off.text.noPassword':
    'Dann genügt zum Anmelden dein Anbieter. Alle Authenticators und Wiederherstellungscodes werden gelöscht.',
  'off.button': 'Ausschalten',
  'off.done': 'Zwei-Faktor-Authentifizierung ist ausgeschaltet.',

  // Set-up, saving codes, proof
  'setup.title': 'Authenticator einrichten',
  'setup.steps': 'Scannen · Bestätigen · Codes speichern',
  'setup.name': 'Gerät benennen',
  'setup.nameHint': 'Das siehst nur du, z. B. Pixel 9.',
  'setup.scan': 'QR-Code scannen',
  'setup.scanText':
    'Öffne deine Authenticator-App (etwa Aegis, 2FAS, FreeOTP, Google Authenticator oder einen Passwort-Manager) und scanne diesen Code.',
  'setup.openText': 'Ist deine Authenticator-App auf diesem Gerät? Öffne sie direkt.',
  'setup.open': 'Authenticator-App öffnen',
  'setup.scanOther': 'QR-Code mit einem anderen Gerät scannen',
  'setup.picture': 'QR-Code für deine Authenticator-App',
  'setup.cannotScan': 'Kein Scannen möglich?',
  'setup.key': 'Gib diesen Schlüssel ein (zeitbasiert, {digits} Stellen)',
  'setup.copyKey': 'Schlüssel kopieren',
  'setup.next': 'Weiter',
  'setup.check':
    'Gib den Code ein, den die App jetzt zeigt. So wird geprüft, ob die App richtig eingerichtet ist.',
  'setup.wrong':
    'Dieser Code ist falsch. Prüfe, ob die Uhr deines Telefons richtig geht, und versuche den aktuellen Code.',
  'setup.expired': 'Diese Einrichtung ist abgelaufen. Es wurde nichts geändert. Beginne von vorn.',
  'setup.newCodes': 'Auch neue Wiederherstellungscodes erstellen (die jetzigen gelten dann nicht mehr)',
  'setup.codesKept': 'Deine gespeicherten Wiederherstellungscodes bleiben gültig.',
  'setup.doneOn': 'Zwei-Faktor-Authentifizierung ist eingeschaltet.',
  'setup.doneAdded': 'Authenticator hinzugefügt.',
  'setup.doneReplaced': 'Authenticator ersetzt. Der alte funktioniert nicht mehr.',
  'setup.owedTitle': 'Zwei-Faktor-Authentifizierung einrichten',
  'setup.required':
    'Dieser Server verlangt Zwei-Faktor-Authentifizierung. Richte sie jetzt ein, um die Anmeldung abzuschließen.',
  'setup.requiredSoon':
    'Dieser Server verlangt ab {date} Zwei-Faktor-Authentifizierung. Richte sie jetzt oder später ein.',
  'setup.need':
    'Du brauchst eine Authenticator-App auf deinem Telefon oder Computer. Danach brauchst du zum Anmelden jedes Mal einen Code aus dieser App.',
  'setup.signingIn': 'Eine App meldet sich in deinem Konto an.',
  'setup.began': 'Die Anmeldung begann am {date}.',
  'setup.notYou':
    'Wenn du diese Anmeldung nicht begonnen hast, schließe diese Seite und ändere dein Passwort.',
  'setup.now': 'Jetzt einrichten',
  'setup.later': 'Später',
  'setup.passkeyInstead': 'Passkey oder Sicherheitsschlüssel einrichten',
  'setup.tooMany': 'Zu viele falsche Codes. Es wurde nichts geändert. Beginne von vorn.',
  'setup.notHere':
    'Dieser Server verlangt eine Art von zweitem Faktor, die diese Seite nicht einrichten kann. Melde dich mit einer anderen App an.',
  'setup.noCodes':
    'Es gibt keine Wiederherstellungscodes zu zeigen: Sie werden nur einmal angezeigt. Wenn du sie nicht gespeichert hast, erstelle auf der Kontoseite neue.',
  'setup.defaultName': 'Authenticator-App',
  'setup.what': 'Was möchtest du einrichten?',
  'setup.passkeyName': 'Passkey',
  'setup.passkeyText':
    'Dein Browser fragt, wo der Passkey gespeichert werden soll, oder bittet dich, deinen Sicherheitsschlüssel zu berühren.',
  'setup.passkeyKnown':
    'Dein Konto hat diesen Passkey oder Sicherheitsschlüssel schon. Verwende einen anderen.',
  'setup.passkeyFailed':
    'Dein Browser konnte hier keinen Passkey erstellen. Versuche es mit einem anderen Browser oder verwende eine Authenticator-App.',
  'setup.passkeyRefused':
    'Dieser Passkey oder Sicherheitsschlüssel wurde nicht angenommen. Versuche es erneut.',
  'setup.passkeyUnsupported':
    'In diesem Fenster können keine Passkeys hinzugefügt werden. Öffne dazu diese Seite in deinem Browser.',
  'save.title': 'Speichere deine Wiederherstellungscodes',
  'save.text':
    'Wenn du deinen Authenticator und diese Codes verlierst, bist du ausgesperrt. Du kannst sie später nicht mehr ansehen.',
  'save.where':
    'Bewahre sie so auf, dass du sie ohne dein Telefon findest: auf Papier oder in einem Passwort-Manager auf einem anderen Gerät.',
  'save.copy': 'Kopieren',
  'save.download': 'Herunterladen',
  'save.print': 'Drucken',
  'save.copied': 'Kopiert',
  'save.downloaded': 'Heruntergeladen',
  'save.tick': 'Ich habe diese Codes gespeichert',
  'save.tickFirst': 'Speichere die Codes und setze dann das Häkchen.',
  'save.finish': 'Fertig',
  'save.sheet': 'Wiederherstellungscodes für {user} · {server} · erstellt {date} · jeder Code gilt einmal',
  'save.fileName': 'wiederherstellungscodes.txt',
  'proof.password': 'Bestätige dein Passwort, um fortzufahren.',
  'proof.submit': 'Weiter',
  'proof.both': 'Bestätige dein Passwort und gib einen Code ein, um fortzufahren.',
  'proof.passkey':
    'Bestätige dein Passwort und verwende deinen Passkey oder Sicherheitsschlüssel, um fortzufahren.',
  'proof.passkeyOrCode':
    'Bestätige dein Passwort und verwende einen Passkey oder gib einen Code ein, um fortzufahren.',
  'proof.passkeyAccepted': 'Dein Passkey oder Sicherheitsschlüssel wurde angenommen.',
  'proof.codeAccepted': 'Dein Code wurde angenommen.',
  'proof.again': 'Zu viele falsche Versuche. Gib einen neuen Code und dein Passwort ein.',
  'problem.wait': 'Zu viele Versuche. Warte {time} und versuche es dann erneut.',
  'problem.unexpected': 'Das hat nicht geklappt: {text}',

  // Activity
  'oauth.authorized': 'Einer App Zugriff auf dein Konto gegeben',
  'oauth.denied': 'Einer App den Zugriff auf dein Konto verweigert',
  'login.completed': 'Angemeldet mit {factor}',
  'login.held_ended':
    'Anmeldung nicht abgeschlossen: Das Passwort war richtig, es wurde kein Code eingegeben. Wenn du das nicht warst, ändere dein Passwort.',
  'login.held_ended.noPassword':
    'Anmeldung nicht abgeschlossen: Dein Anbieter hat sie bestätigt, aber es wurde kein Code eingegeben. Wenn du das nicht warst, sichere dein Konto dort.',
  'history.passkeyRefused': 'Passkey nicht angenommen ‖ Passkey {count}-mal nicht angenommen',
  'factor.refused': 'Falscher Code ‖ {count} falsche Codes',
  'throttle.wait': 'Anmeldung nach zu vielen falschen Codes angehalten',
  'guard.passed': 'Genehmigt: {action}',
  'totp.enabled': 'Zwei-Faktor-Authentifizierung eingeschaltet',
  'totp.disabled': 'Zwei-Faktor-Authentifizierung ausgeschaltet',
  'totp.added': 'Authenticator „{name}“ hinzugefügt',
  'totp.removed': 'Authenticator „{name}“ entfernt',
  'totp.renamed': 'Authenticator in „{name}“ umbenannt',
  'webauthn.added': 'Passkey „{name}“ hinzugefügt',
  'webauthn.renamed': 'Passkey in „{name}“ umbenannt',
  'recovery.used': 'Wiederherstellungscode verwendet (noch {count} übrig)',
  'recovery.regenerated': 'Neue Wiederherstellungscodes erstellt',
  'recovery.deleted': 'Wiederherstellungscodes gelöscht',
  'appservice.login': 'Durch eine Bridge oder einen Bot angemeldet',
  'appservice.own_login': 'Gerät für die Anmeldung angelegt',
  'operator.reset': 'Zwei-Faktor-Authentifizierung durch einen Betreiber zurückgesetzt',
  'operator.unlock': 'Wartezeit durch einen Betreiber aufgehoben',
  'history.completed': 'Mit zweitem Faktor angemeldet',
  'history.passed': 'Geschützte Aktion bestätigt',
  'history.unknown': 'Anderes Ereignis ({event})',
  'throttle.shut': 'Anmeldung mit Code nach zu vielen falschen Codes gesperrt',
  'login.enrolled': 'Zwei-Faktor-Authentifizierung bei einer Anmeldung eingerichtet',
  'operator.restore': 'Eine Sicherung der zweiten Faktoren durch einen Betreiber eingespielt',
  'operator.emergency_code': 'Notfallcode durch einen Betreiber ausgegeben',
  'emergency_code.used': 'Notfallcode verwendet',
  'operator.imported':
    'Zwei-Faktor-Authentifizierung durch einen Betreiber eingeschaltet, mit deinem bisherigen Authenticator',
  'device_password.created': 'Gerätepasswort erstellt',
  'device_password.first_used': 'Gerätepasswort zum ersten Mal verwendet',
  'device_password.used': 'Mit einem Gerätepasswort angemeldet',
  'device_password.renamed': 'Gerätepasswort umbenannt',
  'device_password.revoked': 'Gerätepasswort widerrufen',
  'device_password.ended': 'Gerätepasswort beendet: Das Gerät wurde abgemeldet oder das Passwort geändert',
  'device_password.refused': 'Anmeldung mit einem Gerätepasswort abgelehnt',
  'recovery_request.begun': 'Wiederherstellung des Kontos begonnen',
  'recovery_request.told': 'Erinnerung an die Wiederherstellung des Kontos verschickt',
  'recovery_request.voted': 'Stimme zur Wiederherstellung des Kontos',
  'recovery_request.cancelled': 'Wiederherstellung des Kontos gestoppt',
  'recovery_request.approved': 'Wiederherstellung des Kontos von einem Betreiber freigegeben',
  'recovery_request.denied': 'Wiederherstellung des Kontos von einem Betreiber abgelehnt',
  'recovery_request.opened': 'Wiederherstellung des Kontos kann jetzt abgeschlossen werden',
  'recovery_request.finished': 'Konto wiederhergestellt: Zwei-Faktor-Authentifizierung neu eingerichtet',
  'recovery_request.expired': 'Wiederherstellung des Kontos abgelaufen',
  'recovery_contacts.changed': 'Kontakte für die Wiederherstellung des Kontos geändert',
  'recovery_contacts.removed': 'Kontakte für die Wiederherstellung des Kontos entfernt',
  'recovery_contacts.confirmed': 'Kontaktadresse für die Wiederherstellung des Kontos bestätigt',
  'oauth.session_started': 'App angemeldet',
  'oauth.session_ended': 'App abgemeldet',
  'oauth.code_reused': 'Anmeldecode einer App ein zweites Mal verwendet: App abgemeldet',
  'oauth.refresh_reused': 'Altes Refresh-Token einer App verwendet: App abgemeldet',
  'oauth.revoked_by_other': 'App von einer anderen App abgemeldet',
  'policy.required': 'Zwei-Faktor-Authentifizierung ist von nun an Pflicht',
  'policy.overdue': 'Zeit zum Einrichten der Zwei-Faktor-Authentifizierung abgelaufen',
  'policy.changed': 'Anforderung an dieses Konto durch einen Betreiber geändert',

  // Help page
  'help.what.title': 'Was ist Zwei-Faktor-Authentifizierung?',
  'help.what.text':
    'Zum Anmelden brauchst du dein Passwort und etwas Zweites, das nur du hast. Wer nur eines davon stiehlt, kann sich nicht anmelden.',
  'help.app.title': 'Was ist eine Authenticator-App?',
  'help.app.text':
    'Eine App, die alle 30 Sekunden einen neuen sechsstelligen Code zeigt, auch ohne Netz. Jede App für zeitbasierte Codes (TOTP) funktioniert. Wenn du sie verlierst, melde dich mit einem Wiederherstellungscode oder einem anderen Authenticator an und ersetze sie.',
  'help.passkey.title': 'Was ist ein Passkey oder Sicherheitsschlüssel?',
  'help.passkey.text':
    'Ein Schlüssel auf deinem Telefon, Computer oder USB-Stick, der deine Identität beweist. Apps, die nur nach einem Passwort fragen, können ihn nicht verwenden: Behalte zusätzlich eine Authenticator-App oder Wiederherstellungscodes.',
  'help.passkey.notTaken':
    'Ein Schlüssel auf deinem Telefon, Computer oder USB-Stick, der deine Identität beweist. Apps, die nur nach einem Passwort fragen, können ihn nicht verwenden: Verwende die Anmeldeseite, die deine App anbietet, oder eine App, die eine anbietet. Behalte zusätzlich Wiederherstellungscodes.',
  'help.recovery-code.title': 'Was ist ein Wiederherstellungscode?',
  'help.recovery-code.text':
    'Zwölf Buchstaben und Ziffern, etwa 7q2k-x9vd-03mh. Er ersetzt einmal den Code deiner App. Wenn du deine Wiederherstellungscodes verlierst, erstelle auf der Kontoseite mit deinem Authenticator neue.',
  'help.password-field.title': 'Meine App fragt nur nach einem Passwort. Wohin kommt der Code?',
  'help.password-field.text':
    'Gib ihn direkt nach dem Passwort im selben Feld ein: correct horse 123456. Wenn du dein Passwort in einer App änderst, gib das alte Passwort und einen Code in das Feld für das alte Passwort ein.',
  'help.refused.title': 'Mein Passwort stimmt, aber meine App sagt, es sei falsch.',
  'help.refused.text':
    'Der Code fehlt oder wurde schon verwendet. Jeder Code gilt einmal: Warte auf einen neuen. Manche Apps zeigen den wahren Grund nicht an.',
  'help.lost.title': 'Ich habe mein Telefon verloren.',
  'help.lost.text':
    'Melde dich auf der Kontoseite oder auf der Anmeldeseite deiner App mit einem Wiederherstellungscode an und richte dort einen neuen Authenticator ein. Ein Wiederherstellungscode genügt. Wenn jemand dein Telefon haben könnte, melde auch deine anderen Geräte ab.',
  'help.lost-all.title': 'Ich habe mein Telefon und meine Wiederherstellungscodes verloren.',
  'help.lost-all.text':
    '{contact} Dort kann die Zwei-Faktor-Authentifizierung zurückgesetzt werden, sobald sicher ist, dass du es bist.',
  'help.title': 'Hilfe zur Zwei-Faktor-Authentifizierung',
  'help.password-field.notTaken':
    'Dieser Server nimmt keine Codes im Passwortfeld an. Verwende die Anmeldeseite, die deine App anbietet, oder eine App, die eine anbietet.',
};
