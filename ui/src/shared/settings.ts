// What a person has chosen about the look of this program, kept on this
// machine. The only module that touches localStorage; no case data goes here.
import { reactive, watch } from 'vue'

export type Locale = 'zh-CN' | 'zh-TW' | 'en'
export type Theme = 'system' | 'light' | 'dark'
export type TextSize = 'normal' | 'large' | 'larger'

export interface Settings {
  locale: Locale
  theme: Theme
  textSize: TextSize
}

export const LOCALES: readonly Locale[] = ['zh-CN', 'zh-TW', 'en']
export const THEMES: readonly Theme[] = ['system', 'light', 'dark']
export const TEXT_SIZES: readonly TextSize[] = ['normal', 'large', 'larger']

const KEY = 'suda.settings'

function oneOf<T extends string>(all: readonly T[], value: unknown, otherwise: T): T {
  return all.find((known) => known === value) ?? otherwise
}

/** What is stored, each value checked: an older or newer program may have written it. */
export function readSettings(stored: string | null): Settings {
  let raw: Partial<Record<keyof Settings, unknown>> = {}
  try {
    const parsed: unknown = JSON.parse(stored ?? '{}')
    if (typeof parsed === 'object' && parsed !== null) raw = parsed
  } catch {
    // Not JSON: as if nothing had been chosen.
  }
  return {
    locale: oneOf(LOCALES, raw.locale, 'zh-CN'),
    theme: oneOf(THEMES, raw.theme, 'system'),
    textSize: oneOf(TEXT_SIZES, raw.textSize, 'normal'),
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    // Storage may be switched off by policy; then choices last until the window closes.
    return null
  }
}

export const settings: Settings = reactive(readSettings(stored()))

/** The first of the browser's languages that we have; English for all others. */
export function localeOf(languages: readonly string[]): Locale {
  for (const language of languages) {
    if (/^zh\b.*\b(?:hant|tw|hk|mo)\b/i.test(language)) return 'zh-TW'
    if (/^zh\b/i.test(language)) return 'zh-CN'
    if (/^en\b/i.test(language)) return 'en'
  }
  return languages.length > 0 ? 'en' : 'zh-CN'
}

/** For pages of customers: their browser's language until they choose one. */
export function beginInBrowserLanguage(): void {
  if (stored() === null) settings.locale = localeOf(navigator.languages)
}

function prefersDark(): MediaQueryList {
  return window.matchMedia('(prefers-color-scheme: dark)')
}

function applyLook(): void {
  const dark = settings.theme === 'dark' || (settings.theme === 'system' && prefersDark().matches)
  const root = document.documentElement
  root.classList.toggle('dark', dark)
  root.dataset.textSize = settings.textSize
  root.lang = settings.locale
}

/** Applies the choices to the page and keeps later changes. Call once, before mounting. */
export function keepSettings(): void {
  applyLook()
  prefersDark().addEventListener('change', applyLook)
  watch(settings, () => {
    applyLook()
    try {
      localStorage.setItem(KEY, JSON.stringify(settings))
    } catch {
      // See stored(): the choice still holds for this window.
    }
  })
}
