package org.jenkinsci.plugins.workflow.libs;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Imitation of {@code @Library('name')}, {@code @Library('name@version')}. */
@Retention(RetentionPolicy.SOURCE)
@Target({ElementType.PACKAGE, ElementType.FIELD, ElementType.LOCAL_VARIABLE, ElementType.TYPE})
public @interface Library {
    String[] value();

    boolean changelog() default true;
}
