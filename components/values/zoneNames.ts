/**
 * Time zones that the IANA database renamed and ICU (hence Node's `Intl`) still calls by the old name, with the present
 * one. Read off the packages tzdata and tzdata-legacy 2026c of Debian 13.
 */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ["Africa/Asmera", "Africa/Asmara"],
  ["America/Buenos_Aires", "America/Argentina/Buenos_Aires"],
  ["America/Catamarca", "America/Argentina/Catamarca"],
  ["America/Cordoba", "America/Argentina/Cordoba"],
  ["America/Godthab", "America/Nuuk"],
  ["America/Indianapolis", "America/Indiana/Indianapolis"],
  ["America/Jujuy", "America/Argentina/Jujuy"],
  ["America/Louisville", "America/Kentucky/Louisville"],
  ["America/Mendoza", "America/Argentina/Mendoza"],
  ["Asia/Calcutta", "Asia/Kolkata"],
  ["Asia/Katmandu", "Asia/Kathmandu"],
  ["Asia/Rangoon", "Asia/Yangon"],
  ["Asia/Saigon", "Asia/Ho_Chi_Minh"],
  ["Atlantic/Faeroe", "Atlantic/Faroe"],
  ["Europe/Kiev", "Europe/Kyiv"],
  ["Pacific/Enderbury", "Pacific/Kanton"],
  ["Pacific/Ponape", "Pacific/Pohnpei"],
  ["Pacific/Truk", "Pacific/Chuuk"],
]);

/** The further names of a region and a city that Debian 13 keeps in tzdata-legacy. */
const OLD: ReadonlySet<string> = new Set(
  `America/Argentina/ComodRivadavia America/Fort_Wayne America/Knox_IN America/Rosario Antarctica/South_Pole
   Asia/Ashkhabad Asia/Choibalsan Asia/Chungking Asia/Dacca Asia/Macao Asia/Thimbu Asia/Ujung_Pandang Asia/Ulan_Bator
   Australia/ACT Australia/LHI Australia/NSW Australia/North Australia/Queensland Australia/South Australia/Tasmania
   Australia/Victoria Australia/West Europe/Uzhgorod Europe/Zaporozhye`.split(/\s+/),
);

const REGIONAL = /^(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Etc|Europe|Indian|Pacific)\/[A-Z]/;

/**
 * Whether a zone that `Intl` knows has, under this very name, a file on every host: `UTC`, or a region and a city that
 * weren't renamed. `US/Eastern`, `EST` and old city names are in a package of their own (tzdata-legacy) on Debian 13 and
 * Ubuntu 24.04, and a timer naming them would be dropped there with a warning in the journal.
 */
export function isCurrentZone(name: string): boolean {
  return name === "UTC" || (REGIONAL.test(name) && !RENAMED.has(name) && !OLD.has(name));
}

/** The present name of a zone that ICU calls `name`. */
export function currentZone(name: string): string {
  return RENAMED.get(name) ?? name;
}

/** Every zone that Node knows, by its present name. */
export function currentZones(): string[] {
  return ["UTC", ...Intl.supportedValuesOf("timeZone").map(currentZone)];
}
