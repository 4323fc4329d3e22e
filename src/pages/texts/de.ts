import type { Texts } from './en.ts';

/** Texte der Seiten, die ihre noch nicht aus `pages/texts/de/pages.ts` nehmen. */
export const german: Texts = {
  account: {
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
        'appservice.own_login': 'Gerät für die Anmeldung angelegt',
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
        'recovery_request.begun': 'Wiederherstellung des Kontos begonnen',
        'recovery_request.told': 'Erinnerung an die Wiederherstellung des Kontos verschickt',
        'recovery_request.voted': 'Stimme zur Wiederherstellung des Kontos',
        'recovery_request.cancelled': 'Wiederherstellung des Kontos abgebrochen',
        'recovery_request.approved': 'Wiederherstellung des Kontos von einem Betreiber freigegeben',
        'recovery_request.denied': 'Wiederherstellung des Kontos von einem Betreiber abgelehnt',
        'recovery_request.opened': 'Wiederherstellung des Kontos kann jetzt abgeschlossen werden',
        'recovery_request.finished':
          'Konto wiederhergestellt: Zwei-Faktor-Authentifizierung neu eingerichtet',
        'recovery_request.expired': 'Wiederherstellung des Kontos abgelaufen',
        'recovery_contacts.changed': 'Kontakte für die Wiederherstellung des Kontos geändert',
        'recovery_contacts.removed': 'Kontakte für die Wiederherstellung des Kontos entfernt',
        'recovery_contacts.confirmed': 'Kontaktadresse für die Wiederherstellung des Kontos bestätigt',
        'oauth.authorized': 'Einer App Zugriff gegeben',
        'oauth.denied': 'Einer App den Zugriff verweigert',
        'oauth.session_started': 'App angemeldet',
        'oauth.session_ended': 'App abgemeldet',
        'oauth.code_reused': 'Anmeldecode einer App ein zweites Mal verwendet: App abgemeldet',
        'oauth.refresh_reused': 'Altes Refresh-Token einer App verwendet: App abgemeldet',
        'oauth.revoked_by_other': 'App von einer anderen App abgemeldet',
        'policy.required': 'Zwei-Faktor-Authentifizierung ist von nun an Pflicht',
        'policy.overdue': 'Die Zeit zum Einrichten der Zwei-Faktor-Authentifizierung ist um',
        'policy.changed': 'Der Betreiber hat geändert, was von diesem Konto verlangt wird',
      },
    },
  },
};
