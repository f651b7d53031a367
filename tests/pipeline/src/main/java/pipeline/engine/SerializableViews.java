package pipeline.engine;

import com.cloudbees.groovy.cps.impl.Caller;
import java.io.Serializable;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.ListIterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.SortedMap;

/**
 * A Groovy category that makes iterators and the views of maps serializable in CPS code, so that a loop can hold one across a
 * waiting step; workflow-cps has such a category too.
 */
public final class SerializableViews {
    private SerializableViews() {}

    private static final class Cursor<E> implements ListIterator<E>, Serializable {
        private static final long serialVersionUID = 1L;
        private final List<E> list;
        private int next;
        private int last = -1;

        Cursor(List<E> list, int at) {
            this.list = list;
            next = at;
        }

        private E get(int index) {
            if (index < 0 || index >= list.size()) {
                throw new NoSuchElementException();
            }
            last = index;
            return list.get(index);
        }

        @Override
        public boolean hasNext() {
            return next < list.size();
        }

        @Override
        public E next() {
            E e = get(next);
            next++;
            return e;
        }

        @Override
        public boolean hasPrevious() {
            return next > 0;
        }

        @Override
        public E previous() {
            E e = get(next - 1);
            next--;
            return e;
        }

        @Override
        public int nextIndex() {
            return next;
        }

        @Override
        public int previousIndex() {
            return next - 1;
        }

        @Override
        public void remove() {
            if (last < 0) {
                throw new IllegalStateException();
            }
            list.remove(last);
            if (last < next) {
                next--;
            }
            last = -1;
        }

        @Override
        public void set(E e) {
            list.set(last, e);
        }

        @Override
        public void add(E e) {
            list.add(next++, e);
            last = -1;
        }
    }

    public static <E> Iterator<E> iterator(List<E> list) {
        return new Cursor<>(list, 0);
    }

    public static <E> Iterator<E> iterator(Set<E> set) {
        return new Cursor<>(new ArrayList<>(set), 0);
    }

    public static <E> Iterator<E> iterator(E[] array) {
        return new Cursor<>(Arrays.asList(array), 0);
    }

    public static <E> ListIterator<E> listIterator(List<E> list) {
        return cps(list, "listIterator") ? new Cursor<>(list, 0) : list.listIterator();
    }

    public static <K, V> Set<Map.Entry<K, V>> entrySet(Map<K, V> map) {
        if (!cps(map, "entrySet")) {
            return map.entrySet();
        }
        Set<Map.Entry<K, V>> r = new LinkedHashSet<>();
        map.entrySet().forEach(e -> r.add(new AbstractMap.SimpleImmutableEntry<>(e)));
        return r;
    }

    public static <K, V> Set<Map.Entry<K, V>> entrySet(SortedMap<K, V> map) {
        return entrySet((Map<K, V>) map);
    }

    public static <K> Set<K> keySet(Map<K, ?> map) {
        return cps(map, "keySet") ? new LinkedHashSet<>(map.keySet()) : map.keySet();
    }

    public static <K> Set<K> keySet(SortedMap<K, ?> map) {
        return keySet((Map<K, ?>) map);
    }

    public static <V> Collection<V> values(Map<?, V> map) {
        return cps(map, "values") ? new ArrayList<>(map.values()) : map.values();
    }

    public static <V> Collection<V> values(SortedMap<?, V> map) {
        return values((Map<?, V>) map);
    }

    private static boolean cps(Object on, String method) {
        return Caller.isAsynchronous(on, method) || Caller.isAsynchronous(SerializableViews.class, method, on);
    }
}
