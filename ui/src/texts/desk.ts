// The desk's own texts, a language at a time.
import type { TextLoader } from '@/shared/texts'

export const deskTexts: TextLoader = {
  'zh-CN': async () => {
    const [frame, intake, cases, handover, branch] = await Promise.all([
      import('./zh-CN/frame'),
      import('./zh-CN/intake'),
      import('./zh-CN/cases'),
      import('./zh-CN/handover'),
      import('./zh-CN/branch'),
    ])
    return { ...frame, ...intake, ...cases, ...handover, ...branch }
  },
  'zh-TW': async () => {
    const [frame, intake, cases, handover, branch] = await Promise.all([
      import('./zh-TW/frame'),
      import('./zh-TW/intake'),
      import('./zh-TW/cases'),
      import('./zh-TW/handover'),
      import('./zh-TW/branch'),
    ])
    return { ...frame, ...intake, ...cases, ...handover, ...branch }
  },
  en: async () => {
    const [frame, intake, cases, handover, branch] = await Promise.all([
      import('./en/frame'),
      import('./en/intake'),
      import('./en/cases'),
      import('./en/handover'),
      import('./en/branch'),
    ])
    return { ...frame, ...intake, ...cases, ...handover, ...branch }
  },
}
