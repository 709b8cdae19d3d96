// Reminders and questions from the engine as notices in the window, with the way to the case.
import { ElNotification } from 'element-plus'
import 'element-plus/es/components/notification/style/css'
import { h, onBeforeUnmount, onMounted } from 'vue'
import type { Router } from 'vue-router'
import NoticeBody from '@/parts/NoticeBody.vue'
import { testids } from '@/shared/testids'
import type { PromptView } from '@/shared/types'
import { useWords } from '@/shared/words'
import { onPrompt, type Stop } from './host'

export function showPrompts(router: Router): void {
  const { t, full } = useWords()
  let stop: Stop | undefined
  let gone = false

  function open(id: string): void {
    void router.push({ name: 'case', params: { id } })
  }

  function words(prompt: PromptView): { title: string; text: string } {
    const { reference, escalation } = prompt
    if (escalation) {
      const clock = t(`words.clock.${escalation.clock}`)
      const told = { reference, clock, due: full(escalation.due) }
      return { title: t(`words.level.${escalation.level}`), text: t('frame.prompt.escalated', told) }
    }
    if (prompt.question) {
      return { title: t('frame.prompt.question_title'), text: t('frame.prompt.question', { reference }) }
    }
    if (prompt.handed_off) {
      return { title: t('frame.prompt.handed_off_title'), text: t('frame.prompt.handed_off', { reference }) }
    }
    return { title: t('frame.prompt.title', { minutes: prompt.minutes }), text: t('frame.prompt.text', { reference }) }
  }

  function show(prompt: PromptView): void {
    const { title, text } = words(prompt)
    const notice = ElNotification({
      title,
      type: prompt.handed_off ? 'info' : 'warning',
      position: 'bottom-right',
      // A reminder stays until somebody has seen it.
      duration: prompt.handed_off ? 20_000 : 0,
      offset: 40,
      message: h(NoticeBody, {
        'data-testid': testids.prompt.notice,
        'data-reference': prompt.reference,
        buttonId: testids.prompt.open,
        text,
        button: t('frame.prompt.open'),
        onOpen: () => {
          notice.close()
          open(prompt.id)
        },
      }),
    })
  }

  onMounted(async () => {
    const listening = await onPrompt(show)
    if (gone) listening()
    else stop = listening
  })
  onBeforeUnmount(() => {
    gone = true
    stop?.()
    ElNotification.closeAll()
  })
}
