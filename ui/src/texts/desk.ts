// The desk's own texts, a language at a time.
import type { TextLoader } from '@/shared/texts'

export const deskTexts: TextLoader = {
  'zh-CN': async () => {
    const [frame, intake, cases] = await Promise.all([
      import('./zh-CN/frame'),
      import('./zh-CN/intake'),
      import('./zh-CN/cases'),
    ])
    return { ...frame, ...intake, ...cases }
  },
  'zh-TW': async () => {
    const [frame, intake, cases] = await Promise.all([
      import('./zh-TW/frame'),
      import('./zh-TW/intake'),
      import('./zh-TW/cases'),
    ])
    return { ...frame, ...intake, ...cases }
  },
  en: async () => {
    const [frame, intake, cases] = await Promise.all([
      import('./en/frame'),
      import('./en/intake'),
      import('./en/cases'),
    ])
    return { ...frame, ...intake, ...cases }
  },
}
