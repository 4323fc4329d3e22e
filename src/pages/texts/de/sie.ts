import type { Translation } from '../keys.ts';

/** Die Texte, die mit Sie anders lauten. */
export const sie: Translation = {
  // Shell
  'contact.known': 'Wenden Sie sich an den Betreiber dieses Servers: {contact}',
  'contact.unknown': 'Wenden Sie sich an die Menschen, die {server} betreiben.',

  // Sign-in page
  'signIn.toAccount': 'Melden Sie sich an, um die Sicherheit Ihres Kontos zu verwalten.',
  'signIn.missingUser': 'Geben Sie Ihren Benutzernamen ein.',
  'signIn.missingPassword': 'Geben Sie Ihr Passwort ein.',
  'signIn.limitedByServer':
    'Der Server begrenzt gerade die Anmeldungen. Ihr Passwort wurde nicht geprüft. Warten Sie {time} und versuchen Sie es dann erneut.',
  'signIn.limited':
    'Zu viele Versuche aus Ihrem Netz. Ihr Passwort wurde nicht geprüft. Warten Sie {time} und versuchen Sie es dann erneut.',

  // Code
  'code.intro': 'Geben Sie den {digits}-stelligen Code aus Ihrer Authenticator-App ein.',
  'signIn.passkeyRefused':
    'Dieser Passkey wurde nicht angenommen. Versuchen Sie es erneut oder melden Sie sich mit Ihrem Passwort an.',
  'signIn.passkeyUnsupported':
    'Passkeys funktionieren in diesem Fenster nicht. Öffnen Sie die Seite in Ihrem Browser oder verwenden Sie Ihr Passwort.',
  'code.passkeyRefused':
    'Dieser Passkey oder Sicherheitsschlüssel wurde nicht angenommen. Versuchen Sie es erneut oder verwenden Sie einen Code.',
  'code.passkeyUnsupported':
    'Passkeys funktionieren in diesem Fenster nicht. Öffnen Sie die Seite in Ihrem Browser oder verwenden Sie einen Code.',
  'code.wrong':
    'Dieser Code ist falsch oder wurde schon verwendet. Warten Sie auf einen neuen Code und versuchen Sie es erneut.',
  'code.missing': 'Geben Sie einen Code ein.',
  'code.wait':
    'Zu viele falsche Codes. Ihr Code wurde nicht geprüft. Warten Sie {time} und versuchen Sie es dann erneut.',
  'code.shut': 'Zu viele falsche Codes. Melden Sie sich mit einem Wiederherstellungscode an.',
  'code.startOver': 'Nicht Sie? Von vorn beginnen',

  // Continue to the app
  'confirm.as': 'Sie sind als {user} angemeldet.',
  'confirm.gives': 'Sie geben dieser App Zugriff auf Ihr Konto:',
  'confirm.warning':
    'Fahren Sie nur fort, wenn Sie die Anmeldung dort begonnen haben. Wenn Sie einem fremden Link gefolgt sind, brechen Sie ab.',
  'confirm.recovery':
    'Sie haben einen Wiederherstellungscode verwendet. {count} ist übrig. ‖ Sie haben einen Wiederherstellungscode verwendet. {count} sind übrig.',
  'confirm.recoveryLost':
    'Telefon verloren? Richten Sie jetzt einen neuen Authenticator ein. Sie brauchen keinen weiteren Code.',
  'confirm.offer': 'Ihr Passwort ist der einzige Schutz dieses Kontos.',
  'access.title': 'Einer App Zugriff auf Ihr Konto geben?',
  'access.full':
    'Die App bekommt vollen Zugriff: auf Ihre Nachrichten und Ihr Konto, und sie kann in Ihrem Namen schreiben. Auf der Kontoseite können Sie sie jederzeit abmelden.',
  'access.warning':
    'Erlauben Sie das nur, wenn Sie die Anmeldung selbst in dieser App begonnen haben. Wenn Sie einem fremden Link gefolgt sind, lehnen Sie ab.',
  'access.ends':
    'Sie sind auf dem Gerät {device} schon angemeldet. Wenn Sie das erlauben, wird es abgemeldet.',
  'access.continue.title': 'Weiter in Ihrer App',
  'access.continue.text': 'Sie sind angemeldet. Gehen Sie jetzt zurück zur App: {app}',
  'access.fault.text':
    'Der Fehler liegt in der Anfrage der App, nicht bei Ihnen. Gehen Sie zurück zur App und beginnen Sie dort von vorn.',
  'link.intro': 'Geben Sie den Code ein, den Ihr Gerät zeigt.',
  'link.wrong':
    'Dieser Code ist falsch oder gilt nicht mehr. Sehen Sie auf Ihr Gerät und versuchen Sie es erneut.',
  'link.consent': 'Einem Gerät Zugriff auf Ihr Konto geben?',
  'link.shows': 'Sie geben dem Gerät Zugriff, das diesen Code zeigt:',
  'link.warning':
    'Erlauben Sie das nur, wenn Sie es gerade selbst begonnen haben, auf einem Gerät vor Ihnen. Wenn Ihnen jemand den Code geschickt hat, lehnen Sie ab.',
  'link.done.title': 'Ihr Gerät hat Zugriff',
  'link.done.text': 'Machen Sie dort weiter. Sie können diese Seite schließen.',
  'link.gone.text':
    'Sein Code wurde verwendet oder abgelehnt, oder er ist abgelaufen. Beginnen Sie auf dem Gerät von vorn.',
  'cancelled.text': 'Die App hat keinen Zugriff bekommen. Sie können diese Seite schließen.',
  'replace.endOthers': 'Auch alle anderen Geräte abmelden, falls jemand Ihr Telefon haben könnte',
  'replace.othersFailed':
    'Ihre anderen Geräte konnten nicht abgemeldet werden. Holen Sie es auf der Kontoseite nach.',
  'replace.text':
    'Sobald der neue funktioniert, gelten die hier gewählten nicht mehr. Wenn Sie alle ersetzen, bekommen Sie auch neue Wiederherstellungscodes, und die alten gelten nicht mehr.',
  'replace.only':
    'Sobald der neue Authenticator funktioniert, gilt der alte nicht mehr. Sie bekommen auch neue Wiederherstellungscodes, und die alten gelten nicht mehr.',

  // Error pages
  'error.expired.text':
    'Die Anmeldung war zu lange offen oder wurde an anderer Stelle beendet. Sie sind nicht angemeldet.',
  'error.used.title': 'Sie haben sich bereits angemeldet',
  'error.used.text':
    'Diese Anmeldung wurde abgeschlossen. Sie können diese Seite schließen und zu Ihrer App zurückgehen.',
  'error.tooMany.text':
    'Diese Anmeldung wurde zum Schutz Ihres Kontos beendet. Warten Sie {time} und melden Sie sich dann neu an.',
  'error.changed.title': 'Ihr Konto hat sich geändert',
  'error.changed.text':
    'Während dieser Anmeldung wurde die Zwei-Faktor-Authentifizierung oder das Passwort geändert. Melden Sie sich neu an.',
  'error.otherAccount.text':
    'Sie haben sich mit einem anderen Konto angemeldet als dem, um das es hier geht. Es wurde nichts geändert. Melden Sie sich mit dem richtigen Konto an.',
  'error.link.text':
    'Die App, die Sie hierher geschickt hat, hat kein Ziel oder ein nicht erlaubtes Ziel angegeben. Beginnen Sie in Ihrer App von vorn.',
  'error.form.text':
    'Es wurde nicht von dieser Seite gesendet, oder Ihr Browser blockiert Cookies für diese Seite. Es wurde nichts geändert.',
  'error.unreadable.text': 'Was Ihr Browser gesendet hat, war unvollständig. Es wurde nichts geändert.',
  'error.down.text':
    '{server} antwortet gerade nicht. Ihr Code und Ihr Passwort wurden nicht abgelehnt. Versuchen Sie es in einer Minute erneut.',
  'error.backToApp': 'Gehen Sie zurück zu Ihrer App und beginnen Sie dort von vorn.',

  // Recovery of an account without any factor
  'code.recoveryRuns':
    'Jemand hat die Wiederherstellung dieses Kontos begonnen. Ab {date} kann diese Person einen neuen Authenticator einrichten. Wenn Sie das nicht waren, stoppen Sie die Wiederherstellung jetzt und ändern Sie Ihr Passwort.',
  'code.recoveryStopped':
    'Die Wiederherstellung wurde gestoppt. Ändern Sie jetzt Ihr Passwort: Wer sie begonnen hat, kennt es.',
  'recover.intro':
    'Wenn Sie Ihr Telefon und Ihre Wiederherstellungscodes verloren haben, geben Sie Ihr Passwort ein. Bevor etwas beginnt, können Sie lesen, was geschieht.',
  'recover.forgotten': 'Wenn Sie Ihr Passwort vergessen haben, setzen Sie es zuerst in Ihrer App zurück.',
  'recover.takes': 'Sie müssen {time} warten. Danach können Sie hier einen neuen Authenticator einrichten.',
  'recover.roomAdmins': '{count} Administrator Ihrer Räume ‖ {count} Administratoren Ihrer Räume',
  'recover.useNotify': 'Wenn eines Ihrer Geräte benutzt wird, während Sie warten, erfahren es die Betreiber.',
  'recover.useCancel':
    'Wenn eines Ihrer Geräte benutzt wird, während Sie warten, endet die Wiederherstellung.',
  'recover.voucherHint': 'Wenn Sie noch einen haben: Er wird verbraucht, und Sie warten nur {time}.',
  'recover.claimTitle': 'Bewahren Sie Ihren Abholcode auf',
  'recover.claimText':
    'Sie brauchen ihn und Ihr Passwort zum Abschließen. Drucken Sie ihn aus oder schreiben Sie ihn auf: Sie können ihn später nicht mehr ansehen.',
  'recover.opens': 'Ab {date} können Sie hier abschließen.',
  'recover.claimTickFirst': 'Speichern Sie den Code und setzen Sie dann das Häkchen.',
  'recover.runningText':
    'Die Wiederherstellung wurde am {begun} begonnen. Ab {date} können Sie sie auf dieser Seite abschließen, mit Ihrem Passwort und Ihrem Abholcode.',
  'recover.notYou':
    'Wenn Sie sie nicht begonnen haben, stoppen Sie sie und ändern Sie Ihr Passwort: Wer sie begonnen hat, kennt es.',
  'recover.finishText':
    'Geben Sie den Abholcode ein, den Sie am Anfang bekommen haben. Das ist bis {date} möglich.',
  'recover.claimMissing': 'Geben Sie Ihren Abholcode ein.',
  'recover.doneTitle': 'Ihr Konto ist wiederhergestellt',
  'recover.done': 'Ihr Konto ist wiederhergestellt.',
  'recover.notAlone':
    'Ihre anderen Geräte konnten noch nicht abgemeldet werden. Wer eines davon hat, ist noch in Ihrem Konto.',
  'recover.noFactor': 'Sie können sich anmelden',
  'recover.noFactorText':
    'Dieses Konto hat keine Zwei-Faktor-Authentifizierung. Ihr Passwort genügt: Melden Sie sich in Ihrer App an.',
  'recover.stoppedText':
    'Es wurde nichts geändert. Ändern Sie jetzt Ihr Passwort: Wer sie begonnen hat, kennt es.',
  'recover.stoppedOther':
    'Es wurde nichts geändert. Sagen Sie der Person, der {user} gehört, persönlich Bescheid.',
  'recover.over.finished':
    'Die Wiederherstellung wurde am {date} abgeschlossen: Das Konto hat einen neuen Authenticator. Wenn Sie das nicht erwartet haben, sagen Sie sofort den Betreibern dieses Servers Bescheid.',
  'recover.linkText':
    'Er ist unvollständig, oder es gibt keine solche Wiederherstellung. Öffnen Sie ihn so, wie er in der Nachricht steht.',

  // Approval in an app (fallback pages)
  'approve.title': 'Bestätigen Sie Ihre Identität',
  'approve.about': 'Eine App, die in Ihrem Konto angemeldet ist, möchte',
  'approve.notYou':
    'Wenn Sie das nicht angefordert haben, schließen Sie diese Seite und melden Sie Ihre anderen Geräte ab.',
  'approve.provider':
    'Melden Sie sich noch einmal bei Ihrem Anbieter an, um zu bestätigen, dass Sie es sind.',
  'approve.password': 'Geben Sie das Passwort von {user} ein.',
  'approve.ownPassword': 'Geben Sie das Passwort Ihres Kontos ein.',
  'approve.done.text': 'Sie können diese Seite schließen und zu Ihrer App zurückgehen.',
  'approve.expired.text':
    'Die Anfrage wurde abgeschlossen oder war zu lange offen. Gehen Sie zurück zu Ihrer App; falls sie nicht erledigt ist, versuchen Sie es dort erneut.',
  'approve.tooMany.text':
    'Diese Anfrage wurde zum Schutz Ihres Kontos beendet. Warten Sie {time} und beginnen Sie dann in Ihrer App von vorn.',
  'approve.tooManyPasswords.text':
    'Diese Anfrage wurde zum Schutz Ihres Kontos beendet. Beginnen Sie in Ihrer App von vorn.',
  'approve.oauth.text':
    'Die App wurde ohne Ihr Passwort angemeldet, deshalb kann Ihr Passwort für sie nicht geprüft werden. Melden Sie sich in der App mit Ihrem Passwort an und versuchen Sie es dort erneut.',
  'approve.noPassword.text':
    'Der Server verlangt hierfür eines, deshalb kann es hier nicht genehmigt werden. Es wurde nichts geändert. Ein Betreiber kann ein Passwort für das Konto festlegen. Beginnen Sie dann in Ihrer App von vorn.',
  'approve.changePassword': 'Ihr Passwort ändern',
  'approve.deactivate': 'Ihr Konto dauerhaft deaktivieren',
  'approve.addAddress': 'Ihrem Konto eine E-Mail-Adresse oder Telefonnummer hinzufügen',
  'approve.removeAddress': 'eine E-Mail-Adresse oder Telefonnummer aus Ihrem Konto entfernen',
  'approve.resetIdentity': 'Ihre Verschlüsselungsidentität zurücksetzen (Cross-Signing)',
  'approve.other': 'etwas in Ihrem Konto ändern',
  'approve.deleteCodes': 'Ihre Wiederherstellungscodes löschen',

  // Account page
  'account.signedOut': 'Sie sind abgemeldet.',
  'account.idle': 'Sie wurden nach {time} ohne Aktivität abgemeldet.',
  'account.stay':
    'Sie bleiben hier {time} ohne Aktivität angemeldet. Melden Sie sich an einem gemeinsam genutzten Computer am Ende ab.',
  'account.needsScript':
    'Diese Seite braucht JavaScript. Schalten Sie es für diese Seite ein oder lesen Sie die Hilfeseite.',
  'reason.limited': 'Der Server ist ausgelastet. Versuchen Sie es in {time} erneut.',
  'status.onText': 'Zum Anmelden brauchen Sie Ihr Passwort und einen zweiten Schritt.',
  'status.onText.noPassword': 'Zum Anmelden brauchen Sie Ihren Anbieter und einen zweiten Schritt.',
  'status.weak': 'Zwei-Faktor-Authentifizierung ist eingeschaltet, aber Sie haben keinen Weg zurück',
  'status.weakText':
    'Sie haben keine Wiederherstellungscodes. Wenn Sie Ihren Authenticator verlieren, verlieren Sie den Zugang zu Ihrem Konto.',
  'status.offText':
    'Wer Ihr Passwort erfährt, kann sich als Sie anmelden. Fügen Sie einen zweiten Schritt hinzu, den nur Sie haben.',
  'status.offText.noPassword':
    'Wer in Ihr Konto bei Ihrem Anbieter kommt, kann sich hier als Sie anmelden. Fügen Sie einen zweiten Schritt hinzu, den nur Sie haben.',
  'status.unknown': 'Ihr Status konnte nicht geladen werden',
  'recovered.text':
    'Sie haben sich mit einem Wiederherstellungscode angemeldet; {count} ist übrig. Richten Sie jetzt einen neuen Authenticator ein. Sie brauchen keinen weiteren Code. ‖ Sie haben sich mit einem Wiederherstellungscode angemeldet; {count} sind übrig. Richten Sie jetzt einen neuen Authenticator ein. Sie brauchen keinen weiteren Code.',
  'recovered.again':
    'Sie haben sich mit einem Wiederherstellungscode angemeldet; {count} ist übrig. Um Ihren Authenticator zu ersetzen, brauchen Sie einen weiteren. ‖ Sie haben sich mit einem Wiederherstellungscode angemeldet; {count} sind übrig. Um Ihren Authenticator zu ersetzen, brauchen Sie einen weiteren.',
  'recovered.last':
    'Das war Ihr letzter Wiederherstellungscode. Richten Sie jetzt einen neuen Authenticator ein, solange Sie hier angemeldet sind.',
  'recovered.earlier':
    'Am {date} wurde ein Wiederherstellungscode verwendet ({device}). Wenn Sie Ihr Telefon verloren haben, ersetzen Sie es hier. Wenn Sie das nicht waren, melden Sie Ihre anderen Geräte ab und ändern Sie Ihr Passwort.',
  'recovered.earlier.noPassword':
    'Am {date} wurde ein Wiederherstellungscode verwendet ({device}). Wenn Sie Ihr Telefon verloren haben, ersetzen Sie es hier. Wenn Sie das nicht waren, melden Sie Ihre anderen Geräte ab und sichern Sie Ihr Konto bei Ihrem Anbieter.',
  'auth.removeLast':
    '„{name}“ ist Ihr einziger Authenticator. Wenn Sie ihn entfernen, wird die Zwei-Faktor-Authentifizierung ausgeschaltet, und Ihre Wiederherstellungscodes werden gelöscht.',
  'auth.unusable':
    'Er funktioniert auf diesem Server nicht mehr. Entfernen Sie ihn und fügen Sie einen neuen hinzu.',
  'auth.copied': 'Dieser Schlüssel wurde vielleicht kopiert. Entfernen Sie ihn und fügen Sie ihn neu hinzu.',
  'contacts.intro':
    'Wenn Sie alles verlieren, können Sie Ihr Konto nach einer Wartezeit wiederherstellen. Stellen Sie das hier ein, bevor Sie es brauchen.',
  'vote.text':
    'Jemand möchte wieder in das eigene Konto auf diesem Server und hat Sie als Person benannt, die ihn oder sie kennt. Melden Sie sich mit Ihrem eigenen zweiten Faktor an, um zu sehen, um wessen Konto es geht.',
  'vote.reach':
    'Fragen Sie die Person vor Ihrer Antwort auf einem anderen Weg als über Matrix: am Telefon oder persönlich. Wer das Konto gestohlen hat, kann Ihnen daraus schreiben.',
  'vote.unknown':
    'Dieser Link gilt nicht für dieses Konto. Melden Sie sich mit dem Konto an, das ihn bekommen hat.',
  'codes.intro':
    'Wenn Sie Ihren Authenticator verlieren, verwenden Sie stattdessen einen Wiederherstellungscode.',
  'codes.few': 'Es sind nur noch wenige Codes übrig. Erstellen Sie neue, bevor Sie sie brauchen.',
  'codes.none':
    'Sie haben keine Wiederherstellungscodes. Wenn Sie Ihren Authenticator verlieren, verlieren Sie den Zugang zu Ihrem Konto.',
  'codes.createText': 'Ihre jetzigen Codes gelten dann sofort nicht mehr.',
  'codes.deleteText':
    'Wenn Sie sie löschen und Ihren Authenticator verlieren, kann nur ein Betreiber den Zugang wiederherstellen.',
  'sessions.asked': 'Ihre App hat nach diesem Gerät gefragt',
  'sessions.askedGone': 'Das Gerät, nach dem Ihre App gefragt hat, ist nicht mehr angemeldet.',
  'actions.crossSigning':
    'Um Ihre Verschlüsselungsidentität zurückzusetzen, beginnen Sie in Ihrer App. Die App führt Sie zu einer Seite, die nach Ihrem zweiten Faktor und Ihrem Passwort fragt.',
  'end.intro': 'Manche Apps können das nicht selbst und schicken Sie hierher.',
  'end.newPasswordHint': 'Sie verwenden es von jetzt an überall, wo Sie sich anmelden.',
  'end.passwordText': 'Sie werden hier abgemeldet und melden sich mit dem neuen Passwort an.',
  'end.deactivateText':
    'Sie werden überall abgemeldet, und niemand kann sich mehr mit diesem Konto anmelden.',
  'sessions.intro': 'Melden Sie Geräte ab, die Sie nicht kennen.',
  'devicePasswords.addText':
    'Erstellen Sie für jede App ein eigenes: Zwei Apps mit demselben können verschlüsselte Nachrichten nicht zuverlässig lesen. Eine App, die ihre Daten verloren hat, braucht ein neues.',
  'devicePasswords.notLoaded': 'Ihre Gerätepasswörter konnten nicht geladen werden. {reason}',
  'devicePasswords.unusable': 'Es funktioniert nicht mehr. Widerrufen Sie es und erstellen Sie ein neues.',
  'devicePasswords.made': 'Ihr neues Gerätepasswort',
  'devicePasswords.madeText':
    'Geben Sie es in der App „{name}“ statt Ihres Passworts ein, mit dem Benutzernamen {user}.',
  'devicePasswords.once': 'Sie können es danach nicht mehr ansehen.',
  'sessions.notLoaded':
    'Ihre Geräte konnten nicht geladen werden. Es können weitere angemeldet sein. {reason}',
  'history.intro':
    'Kommt Ihnen etwas unbekannt vor? Melden Sie Ihre anderen Geräte ab und ändern Sie Ihr Passwort.',
  'history.intro.noPassword':
    'Kommt Ihnen etwas unbekannt vor? Melden Sie Ihre anderen Geräte ab und sichern Sie Ihr Konto bei Ihrem Anbieter.',
  'history.notLoaded': 'Ihre Aktivität konnte nicht geladen werden. {reason}',
  'off.text':
    'Dann genügt Ihr Passwort zum Anmelden. Alle Authenticators und Wiederherstellungscodes werden gelöscht.',
  'off.text.noPassword':
    'Dann genügt zum Anmelden Ihr Anbieter. Alle Authenticators und Wiederherstellungscodes werden gelöscht.',

  // Set-up, saving codes, proof
  'setup.nameHint': 'Das sehen nur Sie, z. B. Pixel 9.',
  'setup.scanText':
    'Öffnen Sie Ihre Authenticator-App (etwa Aegis, 2FAS, FreeOTP, Google Authenticator oder einen Passwort-Manager) und scannen Sie diesen Code.',
  'setup.openText': 'Ist Ihre Authenticator-App auf diesem Gerät? Öffnen Sie sie direkt.',
  'setup.picture': 'QR-Code für Ihre Authenticator-App',
  'setup.key': 'Geben Sie diesen Schlüssel ein (zeitbasiert, {digits} Stellen)',
  'setup.check':
    'Geben Sie den Code ein, den die App jetzt zeigt. So wird geprüft, ob die App richtig eingerichtet ist.',
  'setup.wrong':
    'Dieser Code ist falsch. Prüfen Sie, ob die Uhr Ihres Telefons richtig geht, und versuchen Sie den aktuellen Code.',
  'setup.expired': 'Diese Einrichtung ist abgelaufen. Es wurde nichts geändert. Beginnen Sie von vorn.',
  'setup.codesKept': 'Ihre gespeicherten Wiederherstellungscodes bleiben gültig.',
  'setup.required':
    'Dieser Server verlangt Zwei-Faktor-Authentifizierung. Richten Sie sie jetzt ein, um die Anmeldung abzuschließen.',
  'setup.requiredSoon':
    'Dieser Server verlangt ab {date} Zwei-Faktor-Authentifizierung. Richten Sie sie jetzt oder später ein.',
  'setup.need':
    'Sie brauchen eine Authenticator-App auf Ihrem Telefon oder Computer. Danach brauchen Sie zum Anmelden jedes Mal einen Code aus dieser App.',
  'setup.signingIn': 'Eine App meldet sich in Ihrem Konto an.',
  'setup.notYou':
    'Wenn Sie diese Anmeldung nicht begonnen haben, schließen Sie diese Seite und ändern Sie Ihr Passwort.',
  'setup.tooMany': 'Zu viele falsche Codes. Es wurde nichts geändert. Beginnen Sie von vorn.',
  'setup.notHere':
    'Dieser Server verlangt eine Art von zweitem Faktor, die diese Seite nicht einrichten kann. Melden Sie sich mit einer anderen App an.',
  'setup.noCodes':
    'Es gibt keine Wiederherstellungscodes zu zeigen: Sie werden nur einmal angezeigt. Wenn Sie sie nicht gespeichert haben, erstellen Sie auf der Kontoseite neue.',
  'setup.what': 'Was möchten Sie einrichten?',
  'setup.passkeyText':
    'Ihr Browser fragt, wo der Passkey gespeichert werden soll, oder bittet Sie, Ihren Sicherheitsschlüssel zu berühren.',
  'setup.passkeyKnown':
    'Ihr Konto hat diesen Passkey oder Sicherheitsschlüssel schon. Verwenden Sie einen anderen.',
  'setup.passkeyFailed':
    'Ihr Browser konnte hier keinen Passkey erstellen. Versuchen Sie es mit einem anderen Browser oder verwenden Sie eine Authenticator-App.',
  'setup.passkeyRefused':
    'Dieser Passkey oder Sicherheitsschlüssel wurde nicht angenommen. Versuchen Sie es erneut.',
  'setup.passkeyUnsupported':
    'In diesem Fenster können keine Passkeys hinzugefügt werden. Öffnen Sie dazu diese Seite in Ihrem Browser.',
  'save.title': 'Speichern Sie Ihre Wiederherstellungscodes',
  'save.text':
    'Wenn Sie Ihren Authenticator und diese Codes verlieren, sind Sie ausgesperrt. Sie können sie später nicht mehr ansehen.',
  'save.where':
    'Bewahren Sie sie so auf, dass Sie sie ohne Ihr Telefon finden: auf Papier oder in einem Passwort-Manager auf einem anderen Gerät.',
  'save.tickFirst': 'Speichern Sie die Codes und setzen Sie dann das Häkchen.',
  'proof.password': 'Bestätigen Sie Ihr Passwort, um fortzufahren.',
  'proof.both': 'Bestätigen Sie Ihr Passwort und geben Sie einen Code ein, um fortzufahren.',
  'proof.passkey':
    'Bestätigen Sie Ihr Passwort und verwenden Sie Ihren Passkey oder Sicherheitsschlüssel, um fortzufahren.',
  'proof.passkeyOrCode':
    'Bestätigen Sie Ihr Passwort und verwenden Sie einen Passkey oder geben Sie einen Code ein, um fortzufahren.',
  'proof.passkeyAccepted': 'Ihr Passkey oder Sicherheitsschlüssel wurde angenommen.',
  'proof.codeAccepted': 'Ihr Code wurde angenommen.',
  'proof.again': 'Zu viele falsche Versuche. Geben Sie einen neuen Code und Ihr Passwort ein.',
  'problem.wait': 'Zu viele Versuche. Warten Sie {time} und versuchen Sie es dann erneut.',

  // Activity
  'oauth.authorized': 'Einer App Zugriff auf Ihr Konto gegeben',
  'oauth.denied': 'Einer App den Zugriff auf Ihr Konto verweigert',
  'login.held_ended':
    'Anmeldung nicht abgeschlossen: Das Passwort war richtig, es wurde kein Code eingegeben. Wenn Sie das nicht waren, ändern Sie Ihr Passwort.',
  'login.held_ended.noPassword':
    'Anmeldung nicht abgeschlossen: Ihr Anbieter hat sie bestätigt, aber es wurde kein Code eingegeben. Wenn Sie das nicht waren, sichern Sie Ihr Konto dort.',
  'operator.imported':
    'Zwei-Faktor-Authentifizierung durch einen Betreiber eingeschaltet, mit Ihrem bisherigen Authenticator',

  // Help page
  'help.what.text':
    'Zum Anmelden brauchen Sie Ihr Passwort und etwas Zweites, das nur Sie haben. Wer nur eines davon stiehlt, kann sich nicht anmelden.',
  'help.app.text':
    'Eine App, die alle 30 Sekunden einen neuen sechsstelligen Code zeigt, auch ohne Netz. Jede App für zeitbasierte Codes (TOTP) funktioniert. Wenn Sie sie verlieren, melden Sie sich mit einem Wiederherstellungscode oder einem anderen Authenticator an und ersetzen Sie sie.',
  'help.passkey.text':
    'Ein Schlüssel auf Ihrem Telefon, Computer oder USB-Stick, der Ihre Identität beweist. Apps, die nur nach einem Passwort fragen, können ihn nicht verwenden: Behalten Sie zusätzlich eine Authenticator-App oder Wiederherstellungscodes.',
  'help.passkey.notTaken':
    'Ein Schlüssel auf Ihrem Telefon, Computer oder USB-Stick, der Ihre Identität beweist. Apps, die nur nach einem Passwort fragen, können ihn nicht verwenden: Verwenden Sie die Anmeldeseite, die Ihre App anbietet, oder eine App, die eine anbietet. Behalten Sie zusätzlich Wiederherstellungscodes.',
  'help.recovery-code.text':
    'Zwölf Buchstaben und Ziffern, etwa 7q2k-x9vd-03mh. Er ersetzt einmal den Code Ihrer App. Wenn Sie Ihre Wiederherstellungscodes verlieren, erstellen Sie auf der Kontoseite mit Ihrem Authenticator neue.',
  'help.password-field.text':
    'Geben Sie ihn direkt nach dem Passwort im selben Feld ein: correct horse 123456. Wenn Sie Ihr Passwort in einer App ändern, geben Sie das alte Passwort und einen Code in das Feld für das alte Passwort ein.',
  'help.refused.text':
    'Der Code fehlt oder wurde schon verwendet. Jeder Code gilt einmal: Warten Sie auf einen neuen. Manche Apps zeigen den wahren Grund nicht an.',
  'help.lost.text':
    'Melden Sie sich auf der Kontoseite oder auf der Anmeldeseite Ihrer App mit einem Wiederherstellungscode an und richten Sie dort einen neuen Authenticator ein. Ein Wiederherstellungscode genügt. Wenn jemand Ihr Telefon haben könnte, melden Sie auch Ihre anderen Geräte ab.',
  'help.lost-all.text':
    '{contact} Dort kann die Zwei-Faktor-Authentifizierung zurückgesetzt werden, sobald sicher ist, dass Sie es sind.',
  'help.password-field.notTaken':
    'Dieser Server nimmt keine Codes im Passwortfeld an. Verwenden Sie die Anmeldeseite, die Ihre App anbietet, oder eine App, die eine anbietet.',
};
