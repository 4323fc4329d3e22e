import { DevicePasswordCreation, DevicePasswordRules } from '../../device_passwords/creation.ts';
import { OwnDevicePasswords } from '../../device_passwords/own_device_passwords.ts';
import {
  DevicePasswordLook,
  DevicePasswordRelease,
  DevicePasswordUse,
} from '../../device_passwords/release.ts';
import { DevicePasswordRenewal } from '../../device_passwords/renewal.ts';
import { sweepOfDevicePasswords } from '../../login/device_password_sweeper.ts';
import type { Exit } from '../../second_factor/exit.ts';
import type { OwnLogin } from '../../second_factor/own_login.ts';
import type { UpstreamLogin } from '../../second_factor/upstream_login.ts';
import type { SharedServices } from './shared.ts';

export function devicePasswordRelease(
  shared: SharedServices,
  exit: Exit,
  ownLogin: OwnLogin,
): DevicePasswordRelease {
  const ends = shared.devicePasswordEnds;
  const renewal = new DevicePasswordRenewal({ ...shared, ownLogin, ends });
  return new DevicePasswordRelease({
    ...{ ...shared, exit },
    look: new DevicePasswordLook({ ...shared, renewal }),
    use: new DevicePasswordUse({ ...shared, ends }),
  });
}

export function devicePasswordServices(shared: SharedServices, upstream: UpstreamLogin, ownLogin: OwnLogin) {
  const { log } = shared;
  const devicePasswordSweep = sweepOfDevicePasswords({ ...shared, storage: shared.aside });
  const logOut = () => {
    devicePasswordSweep
      .sweep()
      .catch((err) => log.warn({ err }, 'logins of device passwords could not be logged out now'));
  };
  return {
    devicePasswordSweep,
    devicePasswordCreation: new DevicePasswordCreation({
      ...{ ...shared, upstream, ownLogin },
      rules: new DevicePasswordRules(shared),
    }),
    ownDevicePasswords: new OwnDevicePasswords({ ...shared, isRenewable: ownLogin.isOn }, logOut),
  };
}
