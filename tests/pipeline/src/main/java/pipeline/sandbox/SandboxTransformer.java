package pipeline.sandbox;

import com.cloudbees.groovy.cps.CpsTransformer;
import com.cloudbees.groovy.cps.SandboxCpsTransformer;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import org.codehaus.groovy.ast.ClassCodeExpressionTransformer;
import org.codehaus.groovy.ast.MethodNode;

/**
 * Jenkins' sandboxing transformer, with one check left out: groovy-cps 1.31 asks groovy-sandbox to forbid finalizers, which the
 * newest groovy-sandbox on Maven Central (1.19) cannot do.
 */
public final class SandboxTransformer extends SandboxCpsTransformer {
    private static final MethodHandle VISIT = visitOfCpsTransformer();

    private static MethodHandle visitOfCpsTransformer() {
        try {
            return MethodHandles.privateLookupIn(SandboxCpsTransformer.class, MethodHandles.lookup()).findSpecial(CpsTransformer.class,
                    "visitMethod", MethodType.methodType(void.class, MethodNode.class), SandboxCpsTransformer.class);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void visitMethod(MethodNode m) {
        try {
            VISIT.invoke((SandboxCpsTransformer) this, m);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    protected void visitNontransformedMethod(MethodNode m) {
        try {
            Field f = SandboxCpsTransformer.class.getDeclaredField("stv");
            f.setAccessible(true);
            ((ClassCodeExpressionTransformer) f.get(this)).visitMethod(m);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
