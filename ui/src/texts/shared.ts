// The texts both the desk and the console need: the field's words, errors, facts.
import type { TextLoader } from '@/shared/texts'

export const sharedTexts: TextLoader = {
  'zh-CN': async () => {
    const [{ words }, { errors }, { facts }, { evidence }] = await Promise.all([
      import('./zh-CN/words'),
      import('./zh-CN/errors'),
      import('./zh-CN/facts'),
      import('./zh-CN/evidence'),
    ])
    return { words, errors, facts, evidence }
  },
  'zh-TW': async () => {
    const [{ words }, { errors }, { facts }, { evidence }] = await Promise.all([
      import('./zh-TW/words'),
      import('./zh-TW/errors'),
      import('./zh-TW/facts'),
      import('./zh-TW/evidence'),
    ])
    return { words, errors, facts, evidence }
  },
  en: async () => {
    const [{ words }, { errors }, { facts }, { evidence }] = await Promise.all([
      import('./en/words'),
      import('./en/errors'),
      import('./en/facts'),
      import('./en/evidence'),
    ])
    return { words, errors, facts, evidence }
  },
}

/** The shared texts together with those of one entry. */
export function withShared(own: TextLoader): TextLoader {
  const both = (locale: keyof TextLoader) => async () => {
    const [shared, rest] = await Promise.all([sharedTexts[locale](), own[locale]()])
    return { ...shared, ...rest }
  }
  return { 'zh-CN': both('zh-CN'), 'zh-TW': both('zh-TW'), en: both('en') }
}
