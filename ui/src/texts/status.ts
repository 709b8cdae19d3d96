// The status page's texts: the field's words and its own.
import type { TextLoader } from '@/shared/texts'

export const statusTexts: TextLoader = {
  'zh-CN': async () => {
    const [{ words }, { status }] = await Promise.all([import('./zh-CN/words'), import('./zh-CN/status')])
    return { words, status }
  },
  'zh-TW': async () => {
    const [{ words }, { status }] = await Promise.all([import('./zh-TW/words'), import('./zh-TW/status')])
    return { words, status }
  },
  en: async () => {
    const [{ words }, { status }] = await Promise.all([import('./en/words'), import('./en/status')])
    return { words, status }
  },
}
