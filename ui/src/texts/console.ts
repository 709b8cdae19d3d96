// The console's texts: the shared ones and its own, by area.
import type { Locale } from '@/shared/settings'
import type { Messages, TextLoader } from '@/shared/texts'
import { withShared } from './shared'

type Areas = [
  Promise<{ consoleFrame: Messages }>,
  Promise<{ consoleWork: Messages }>,
  Promise<{ consoleAdmin: Messages }>,
  Promise<{ consoleErrors: Messages }>,
  Promise<{ consolePhone: Messages }>,
  Promise<{ consoleDesks: Messages }>,
  Promise<{ consoleTime: Messages }>,
  Promise<{ consoleLetters: Messages }>,
  Promise<{ consoleBeside: Messages }>,
  Promise<{ consoleCourse: Messages }>,
  Promise<{ consoleDuties: Messages }>,
  Promise<{ consoleLearning: Messages }>,
  Promise<{ consoleAlarms: Messages }>,
  Promise<{ consoleSame: Messages }>,
]

async function joined(areas: Areas): Promise<Messages> {
  const [
    { consoleFrame },
    { consoleWork },
    { consoleAdmin },
    { consoleErrors },
    { consolePhone },
    { consoleDesks },
    { consoleTime },
    { consoleLetters },
    { consoleBeside },
    { consoleCourse },
    { consoleDuties },
    { consoleLearning },
    { consoleAlarms },
    { consoleSame },
  ] = await Promise.all(areas)
  return {
    console: {
      ...consoleFrame,
      ...consoleWork,
      ...consoleCourse,
      ...consoleDuties,
      admin: consoleAdmin,
      errors: consoleErrors,
      phone: consolePhone,
      desks: consoleDesks,
      time: consoleTime,
      letters: consoleLetters,
      beside: consoleBeside,
      learning: consoleLearning,
      alarms: consoleAlarms,
      same: consoleSame,
    },
  }
}

const own: Record<Locale, () => Promise<Messages>> = {
  'zh-CN': () =>
    joined([
      import('./zh-CN/console/frame'),
      import('./zh-CN/console/work'),
      import('./zh-CN/console/admin'),
      import('./zh-CN/console/errors'),
      import('./zh-CN/console/phone'),
      import('./zh-CN/console/desks'),
      import('./zh-CN/console/time'),
      import('./zh-CN/console/letters'),
      import('./zh-CN/console/beside'),
      import('./zh-CN/console/course'),
      import('./zh-CN/console/duties'),
      import('./zh-CN/console/learning'),
      import('./zh-CN/console/alarms'),
      import('./zh-CN/console/same'),
    ]),
  'zh-TW': () =>
    joined([
      import('./zh-TW/console/frame'),
      import('./zh-TW/console/work'),
      import('./zh-TW/console/admin'),
      import('./zh-TW/console/errors'),
      import('./zh-TW/console/phone'),
      import('./zh-TW/console/desks'),
      import('./zh-TW/console/time'),
      import('./zh-TW/console/letters'),
      import('./zh-TW/console/beside'),
      import('./zh-TW/console/course'),
      import('./zh-TW/console/duties'),
      import('./zh-TW/console/learning'),
      import('./zh-TW/console/alarms'),
      import('./zh-TW/console/same'),
    ]),
  en: () =>
    joined([
      import('./en/console/frame'),
      import('./en/console/work'),
      import('./en/console/admin'),
      import('./en/console/errors'),
      import('./en/console/phone'),
      import('./en/console/desks'),
      import('./en/console/time'),
      import('./en/console/letters'),
      import('./en/console/beside'),
      import('./en/console/course'),
      import('./en/console/duties'),
      import('./en/console/learning'),
      import('./en/console/alarms'),
      import('./en/console/same'),
    ]),
}

export const consoleTexts: TextLoader = withShared(own)
