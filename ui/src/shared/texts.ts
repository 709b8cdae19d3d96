// Makes the one i18n instance of an entry from areas of texts. Only the chosen
// language is loaded; zh-CN is the reference every other one is typed against.
import { watch } from 'vue'
import { createI18n, type I18n } from 'vue-i18n'
import { settings, type Locale } from './settings'

/** The same tree of texts in another language: complete by type check. */
export type SameTexts<T> = { [K in keyof T]: T[K] extends string ? string : SameTexts<T[K]> }

export type Messages = { [key: string]: string | Messages }

/** The texts of one entry, a file per language. */
export type TextLoader = Record<Locale, () => Promise<Messages>>

export type Texts = I18n<Record<string, Messages>, Record<string, never>, Record<string, never>, string, false>

/** Loads the chosen language and follows later choices. */
export async function createTexts(loader: TextLoader): Promise<Texts> {
  const texts = createI18n({
    legacy: false,
    locale: settings.locale,
    messages: { [settings.locale]: await loader[settings.locale]() } as Record<string, Messages>,
  }) as unknown as Texts
  watch(
    () => settings.locale,
    async (locale) => {
      if (!texts.global.availableLocales.includes(locale)) {
        texts.global.setLocaleMessage(locale, await loader[locale]())
      }
      texts.global.locale.value = locale
    },
  )
  return texts
}
