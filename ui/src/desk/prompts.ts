// Reminders from the engine as notices in the window, with the way to the case.
import { ElNotification } from 'element-plus'
import 'element-plus/es/components/notification/style/css'
import { h, onBeforeUnmount, onMounted } from 'vue'
import type { Router } from 'vue-router'
import type { PromptView } from '@/shared/types'
import { useWords } from '@/shared/words'
import PromptNotice from './PromptNotice.vue'
import { onPrompt, type Stop } from './host'

export function showPrompts(router: Router): void {
  const { t } = useWords()
  let stop: Stop | undefined
  let gone = false

  function open(id: string): void {
    void router.push({ name: 'case', params: { id } })
  }

  function show(prompt: PromptView): void {
    const notice = ElNotification({
      title: prompt.handed_off
        ? t('frame.prompt.handed_off_title')
        : t('frame.prompt.title', { minutes: prompt.minutes }),
      type: prompt.handed_off ? 'info' : 'warning',
      position: 'bottom-right',
      // A reminder stays until somebody has seen it.
      duration: prompt.handed_off ? 20_000 : 0,
      offset: 40,
      message: h(PromptNotice, {
        prompt,
        text: prompt.handed_off
          ? t('frame.prompt.handed_off', { reference: prompt.reference })
          : t('frame.prompt.text', { reference: prompt.reference }),
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
