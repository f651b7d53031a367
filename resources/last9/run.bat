@echo off
rem Runs the engine once on this agent: the text of one `bat` step. The Groovy side puts a UUID and the bundle's hash into it, nothing else.
rem What it promises is in tests/contract/README.md: the engine's log on stderr, one answer line on stdout, exit code 0.
rem Delayed expansion is off, so `!` in a path stays; paths are expanded inside quotes only, so `&` and blanks do no harm.
setlocal EnableExtensions DisableDelayedExpansion

if not defined WORKSPACE_TMP set "WORKSPACE_TMP=%WORKSPACE%@tmp"
set "LAST9_FOLDER=%WORKSPACE_TMP%\last9"
set "LAST9_REQUEST=%LAST9_FOLDER%\request-@REQUEST@.json"
set "LAST9_INCOMING=%LAST9_FOLDER%\incoming-@REQUEST@.pyz"
set "LAST9_BUNDLE=%LAST9_FOLDER%\last9-markers-@BUNDLE@.pyz"
set "LAST9_CACHE_DIR=%LAST9_FOLDER%"
set "LAST9_LAUNCHER=1"

rem Ten branches may arrive at once with a copy each: the first rename counts, the others fail and their copies are removed below.
if not exist "%LAST9_BUNDLE%" if exist "%LAST9_INCOMING%" move /y "%LAST9_INCOMING%" "%LAST9_BUNDLE%" >nul 2>&1

if not defined LAST9_PYTHON goto :find
set "LAST9_PYTHON=%LAST9_PYTHON:"=%"

rem Each candidate is asked first: Python 2.7 knows no -I, and Windows' own `python` may be a stub that opens the Store (exit code 9009).
rem Compared as text, since `if errorlevel 1` takes the negative codes of crashed programs for success.
:find
set "LAST9_FOUND="
if defined LAST9_PYTHON call :ask
if not defined LAST9_FOUND call :ask_named python3
if not defined LAST9_FOUND call :ask_named python
if not defined LAST9_FOUND call :ask_launcher
if not defined LAST9_FOUND goto :no_python

if "%LAST9_FOUND%"=="variable" "%LAST9_PYTHON%" -I -S "%LAST9_BUNDLE%" step --request "%LAST9_REQUEST%"
if "%LAST9_FOUND%"=="python3" python3 -I -S "%LAST9_BUNDLE%" step --request "%LAST9_REQUEST%"
if "%LAST9_FOUND%"=="python" python -I -S "%LAST9_BUNDLE%" step --request "%LAST9_REQUEST%"
if "%LAST9_FOUND%"=="launcher" py -3 -I -S "%LAST9_BUNDLE%" step --request "%LAST9_REQUEST%"
if not "%ERRORLEVEL%"=="0" echo [Last9] The engine ended with exit code %ERRORLEVEL%.>&2
goto :clean_up

:ask
"%LAST9_PYTHON%" -I -S -c "import sys, ssl, zlib; sys.exit(sys.version_info < (3, 9))" >nul 2>&1
if "%ERRORLEVEL%"=="0" set "LAST9_FOUND=variable"
exit /b 0

:ask_named
%1 -I -S -c "import sys, ssl, zlib; sys.exit(sys.version_info < (3, 9))" >nul 2>&1
if "%ERRORLEVEL%"=="0" set "LAST9_FOUND=%1"
exit /b 0

:ask_launcher
py -3 -I -S -c "import sys, ssl, zlib; sys.exit(sys.version_info < (3, 9))" >nul 2>&1
if "%ERRORLEVEL%"=="0" set "LAST9_FOUND=launcher"
exit /b 0

rem LAST9_PYTHON's value is not repeated here: cmd cannot escape it for JSON safely.
:no_python
set "LAST9_TRIED=python3, python, py -3"
if defined LAST9_PYTHON set "LAST9_TRIED=the program that LAST9_PYTHON names, python3, python, py -3"
set "LAST9_WARNING=this agent has no usable Python, so the deployment marker was not sent. Tried: %LAST9_TRIED%. Install Python 3.9 or newer on the agent, or set LAST9_PYTHON to the path of one."
echo [Last9] WARNING: %LAST9_WARNING%>&2
echo {"last9Answer":1,"delivered":false,"accepted":true,"deploymentId":null,"warnings":["%LAST9_WARNING%"],"failBuild":null,"noEngine":true}

:clean_up
if exist "%LAST9_REQUEST%" del /f /q "%LAST9_REQUEST%" >nul 2>&1
if exist "%LAST9_INCOMING%" del /f /q "%LAST9_INCOMING%" >nul 2>&1
exit /b 0
