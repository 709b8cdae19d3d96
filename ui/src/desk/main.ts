// The desk's entry: the page the window opens.
import { createApp } from 'vue'
import { deskTexts } from '@/texts/desk'
import { withShared } from '@/texts/shared'
import { keepSettings } from '@/shared/settings'
import { createTexts } from '@/shared/texts'
import 'element-plus/theme-chalk/dark/css-vars.css'
import '@/shared/theme.css'
import Desk from './Desk.vue'
import { router } from './router'
import { tellUncaught } from './unexpected'

keepSettings()
const texts = await createTexts(withShared(deskTexts))
const app = createApp(Desk).use(texts).use(router)
tellUncaught(app, texts)
app.mount('#app')
