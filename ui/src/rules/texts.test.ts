// Texts: every language says everything, with the same parameters, and every
// key a view asks for is there.
import { baseCompile } from '@intlify/message-compiler'
import { expect, test } from 'vitest'
import type { Messages, TextLoader } from '@/shared/texts'
import { LOCALES, type Locale } from '@/shared/settings'
import { sharedTexts } from '@/texts/shared'

const loaders = import.meta.glob<Record<string, TextLoader>>('../texts/*.ts', { eager: true })
const sources = import.meta.glob<string>(['../**/*.{ts,vue}', '!../**/*.test.ts', '!../texts/**'], {
  eager: true,
  query: '?raw',
  import: 'default',
})

function flat(messages: Messages, path = ''): Map<string, string> {
  const all = new Map<string, string>()
  for (const [name, value] of Object.entries(messages)) {
    if (typeof value === 'string') all.set(path + name, value)
    else for (const [key, text] of flat(value, `${path}${name}.`)) all.set(key, text)
  }
  return all
}

async function load(entry: string, locale: Locale): Promise<Map<string, string>> {
  const module = loaders[`../texts/${entry}.ts`]
  const loader = module?.[`${entry}Texts`]
  if (loader === undefined) throw new Error(`texts/${entry}.ts exports no ${entry}Texts`)
  return flat({ ...(await sharedTexts[locale]()), ...(await loader[locale]()) })
}

const ENTRIES = Object.keys(loaders)
  .map((path) => path.replace('../texts/', '').replace('.ts', ''))
  .filter((name) => name !== 'shared')

const parameters = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1] ?? '').sort()

test('there is an entry to check', () => {
  expect(ENTRIES).toContain('desk')
})

test.each(ENTRIES)('%s says the same in every language and every text compiles', async (entry) => {
  const reference = await load(entry, 'zh-CN')
  for (const locale of LOCALES) {
    const texts = await load(entry, locale)
    expect([...texts.keys()].sort()).toEqual([...reference.keys()].sort())
    for (const [key, text] of texts) {
      expect(text.trim() === '', `${locale} ${key}`).toBe(reference.get(key) === '')
      expect(parameters(text), `${locale} ${key}`).toEqual(parameters(reference.get(key) ?? ''))
      const errors: unknown[] = []
      baseCompile(text, { onError: (error) => errors.push(error) })
      expect(errors, `${locale} ${key}`).toEqual([])
    }
  }
})

/** `t('a.b')` asks for a text, `t(`a.${x}`)` for some text that begins so. */
function asked(source: string): { whole: string[]; begun: string[] } {
  const whole = [...source.matchAll(/\bt\(\s*'([^']+)'/g)].map((m) => m[1] ?? '')
  const begun = [...source.matchAll(/\bt\(\s*`([^`$]+)\$\{/g)].map((m) => m[1] ?? '')
  return { whole, begun }
}

test.each(ENTRIES)('%s finds every text its views ask for', async (entry) => {
  const keys = [...(await load(entry, 'zh-CN')).keys()]
  const missing: string[] = []
  for (const [path, source] of Object.entries(sources)) {
    if (!path.startsWith(`../${entry}/`)) continue
    const { whole, begun } = asked(source)
    for (const key of whole) if (!keys.includes(key)) missing.push(`${path}: ${key}`)
    for (const start of begun) {
      if (!keys.some((key) => key.startsWith(start))) missing.push(`${path}: ${start}…`)
    }
  }
  expect(missing).toEqual([])
})

test('what the shared parts ask for is in the shared texts', async () => {
  const keys = [...flat(await sharedTexts['zh-CN']()).keys()]
  const missing: string[] = []
  for (const [path, source] of Object.entries(sources)) {
    if (!/^\.\.\/(parts|shared)\//.test(path)) continue
    const { whole, begun } = asked(source)
    for (const key of whole) if (!keys.includes(key)) missing.push(`${path}: ${key}`)
    for (const start of begun) {
      if (!keys.some((key) => key.startsWith(start))) missing.push(`${path}: ${start}…`)
    }
  }
  expect(missing).toEqual([])
})
