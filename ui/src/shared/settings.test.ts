import { expect, test } from 'vitest'
import { readSettings } from './settings'

test('choices are read back, and anything unknown falls to the default', () => {
  const chosen = { locale: 'en', theme: 'dark', textSize: 'larger' } as const
  expect(readSettings(JSON.stringify(chosen))).toEqual(chosen)
  const fallback = { locale: 'zh-CN', theme: 'system', textSize: 'normal' }
  for (const stored of [null, '', '{', '3', 'null', '{"locale":"fr","theme":7}']) {
    expect(readSettings(stored)).toEqual(fallback)
  }
})
