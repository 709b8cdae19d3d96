// What nobody expected still has to be seen: an error no screen caught is told
// in one line instead of vanishing.
import { ElMessage } from 'element-plus'
import 'element-plus/es/components/message/style/css'
import type { App } from 'vue'
import type { Texts } from '@/shared/texts'
import { toldOf } from './host'

export function tellUncaught(app: App, texts: Texts): void {
  const tell = (thrown: unknown): void => {
    const { code, key, params } = toldOf(thrown)
    // The lock and the sign-in screen say these themselves.
    if (code === 'locked' || code === 'signed_out') return
    ElMessage({ type: 'error', message: texts.global.t(key, params), duration: 8000, showClose: true })
    console.error(thrown)
  }
  app.config.errorHandler = tell
  window.addEventListener('unhandledrejection', (event) => tell(event.reason))
}
