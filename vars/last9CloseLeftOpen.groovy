import org.last9.ClosingRun
import org.last9.Sender

/** The library's own, for windows that need another credential: a var, so that only a build with such a window compiles what it needs. */
void call(Sender sender, Map marker, Map settings, String asked, Object credential) {
    new ClosingRun(this).close(sender, marker, settings, asked, credential)
}
