// Tells of what is new while the page is open: a notice in the page, and the
// browser's own when nobody looks at it and the person has allowed that.
import { ElNotification } from 'element-plus'
import 'element-plus/es/components/notification/style/css'
import { h, nextTick, onScopeDispose } from 'vue'
import { useRouter } from 'vue-router'
import NoticeBody from '@/parts/NoticeBody.vue'
import { useWords } from '@/shared/words'
import * as calls from './calls'
import { desktopPermission } from './desktop'
import { followEscalations, isTold } from './escalations'
import { calmly, onLive } from './live'
import { keptInSession, newcomers, ofAlerts, ofEscalations, ofRecords, TONES, type Notice } from './notices'
import { allowed } from './routes'
import { me } from './session'
import { followSetAside, mends } from './setAside'
import { ids } from './testids'

/** What can wait goes by itself. */
const REMINDER_MS = 20_000

/** For the frame, which is made anew for each person. */
export function useNotices(): void {
  const { t } = useWords()
  const router = useRouter()
  const who = me.value
  if (who === null) return
  const store = keptInSession()
  /** What stands on the screen, by list. */
  const shown = new Map<string, { key: string; close: () => void }[]>()
  const title = (kind: Notice['kind']): string =>
    kind === 'alert' || kind === 'set_aside'
      ? t(`console.notices.${kind}`)
      : t('console.notices.escalated', { level: t(`words.level.${kind}`) })
  const textOf = (one: Notice): string =>
    one.kind === 'set_aside'
      ? t('console.notices.set_aside_text', { branch: one.branch })
      : t('console.notices.text', { reference: one.reference, clock: t(`words.clock.${one.clock}`) })
  const place = (one: Notice) => (one.kind === 'set_aside' ? 'quarantine' : 'case')
  const open = (one: Notice): void =>
    void router.push(one.kind === 'set_aside' ? { name: place(one) } : { name: place(one), params: { id: one.id } })
  const button = (one: Notice): string | undefined => {
    if (allowed(place(one)) !== true) return undefined
    return t(one.kind === 'set_aside' ? 'console.notices.open_records' : 'console.notices.open')
  }

  function show(one: Notice): () => void {
    const text = textOf(one)
    const notice = ElNotification({
      title: title(one.kind),
      type: TONES[one.kind],
      position: 'bottom-right',
      duration: one.kind === 'remind' ? REMINDER_MS : 0,
      message: h(NoticeBody, {
        'data-testid': ids.notices.notice,
        'data-level': one.kind,
        'data-reference': one.kind === 'set_aside' ? undefined : one.reference,
        text,
        buttonId: ids.notices.open,
        button: button(one),
        onOpen: () => {
          notice.close()
          open(one)
        },
      }),
    })
    if (document.hidden && desktopPermission() === 'granted') showOutside(one, text)
    return notice.close
  }

  function showOutside(one: Notice, body: string): void {
    try {
      const outside = new Notification(title(one.kind), { body, tag: one.key, lang: document.documentElement.lang })
      outside.onclick = () => {
        window.focus()
        outside.close()
        if (allowed(place(one)) === true) open(one)
      }
    } catch {
      // Some browsers have notifications of another kind only; the page has told it.
    }
  }

  async function tell(list: string, listed: Notice[]): Promise<void> {
    const standing = (shown.get(list) ?? []).filter(({ key, close }) => {
      const stands = listed.some((one) => one.key === key)
      // Somebody has seen to it, here or elsewhere.
      if (!stands) close()
      return stands
    })
    shown.set(list, standing)
    const { show: fresh, more } = newcomers(`suda.noticed/${who?.id}/${list}`, listed, store)
    for (const one of fresh) {
      standing.push({ key: one.key, close: show(one) })
      // One that is not there yet has no height, and the next would hide it.
      await nextTick()
    }
    if (more > 0) ElNotification({ title: t('console.notices.more', { n: more }), type: 'warning', position: 'bottom-right' })
  }

  if (isTold(who.role)) followEscalations((rows) => void tell('escalations', ofEscalations(rows)))
  if (mends(who.role)) followSetAside(who.id, (rows) => void tell('set_aside', ofRecords(rows)))
  if (who.role === 'management') {
    const alerts = calmly(async () => {
      try {
        await tell('alerts', ofAlerts((await calls.board()).alerts))
      } catch {
        // The board says what is wrong; the next news asks again.
      }
    }, 1_000)
    alerts()
    onLive('board', alerts)
  }
  onScopeDispose(() => ElNotification.closeAll())
}
