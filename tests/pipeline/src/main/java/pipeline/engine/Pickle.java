package pipeline.engine;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;

/** Writes the program to bytes and reads it back, pipeline classes found through the build's own loader. */
final class Pickle {
    private Pickle() {}

    static byte[] write(Object o) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 14);
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(o);
        }
        return bytes.toByteArray();
    }

    static Object read(byte[] bytes, ClassLoader loader) throws IOException, ClassNotFoundException {
        try (ObjectInputStream in = new In(new ByteArrayInputStream(bytes), loader)) {
            return in.readObject();
        }
    }

    private static final class In extends ObjectInputStream {
        private final ClassLoader loader;

        In(InputStream from, ClassLoader loader) throws IOException {
            super(from);
            this.loader = loader;
        }

        /** Groovy stamps every compilation with its time, which changes the computed version of an unchanged class: the name decides. */
        @Override
        protected ObjectStreamClass readClassDescriptor() throws IOException, ClassNotFoundException {
            ObjectStreamClass read = super.readClassDescriptor();
            try {
                Class<?> local = Class.forName(read.getName(), false, loader);
                ObjectStreamClass here = groovy.lang.GroovyObject.class.isAssignableFrom(local) ? ObjectStreamClass.lookup(local) : null;
                return here == null ? read : here;
            } catch (ClassNotFoundException e) {
                return read;
            }
        }

        @Override
        protected Class<?> resolveClass(ObjectStreamClass d) throws IOException, ClassNotFoundException {
            try {
                return Class.forName(d.getName(), false, loader);
            } catch (ClassNotFoundException e) {
                return super.resolveClass(d);
            }
        }
    }
}
