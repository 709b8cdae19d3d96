// Saying times, money and names in the chosen language: what a view needs
// beside `t`.
import { useI18n } from 'vue-i18n'
import { settings } from './settings'
import { clockTime, dateTime, nearTime, span, type Phrase } from './time'

/** Minor units (分) as an amount with two decimals and grouped digits. */
export function amountText(minor: number): string {
  return new Intl.NumberFormat('en-US', {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  }).format(minor / 100)
}

export function useWords() {
  const { t } = useI18n({ useScope: 'global' })
  const say = (phrase: Phrase | string): string =>
    typeof phrase === 'string' ? phrase : t(phrase.key, phrase.params)
  return {
    t,
    say,
    span: (ms: number): string => say(span(ms)),
    near: (at: string | number, now: number): string => say(nearTime(at, now, settings.locale)),
    full: (at: string | number): string => dateTime(at, settings.locale),
    time: (at: string | number, seconds = false): string => clockTime(at, settings.locale, seconds),
    money: (minor: number): string => t('words.money.amount', { value: amountText(minor) }),
    /** The name in the reader's language of something that carries both. */
    named: (thing: { zh: string; en: string }): string =>
      settings.locale === 'en' ? thing.en : thing.zh,
  }
}
